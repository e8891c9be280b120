//! Changes the rate of a stream of 10 ms frames, frame by frame: one in, one out.
//!
//! The filter's delay of half a frame shows as silence at the front. Equal rates pass untouched.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler as _, WindowFunction};

/// Frames per second.
const FRAMES_PER_SECOND: u32 = 100;

/// A frame is one block of the filter: then both sides are whole frames at any rate.
const BLOCKS: usize = 1;

/// Highest rate that is taken, in Hz: the highest that sound cards have.
const HIGHEST_HZ: u32 = 192_000;

/// Most channels that are taken.
const CHANNELS_LIMIT: u32 = 8;

/// A rate or a number of channels that cannot be.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{from_hz} Hz to {to_hz} Hz with {channels} channels: rates are multiples of 100 Hz up to \
     192 kHz, channels 1 to 8"
)]
pub(crate) struct Error {
    from_hz: u32,
    to_hz: u32,
    channels: u32,
}

/// Changes the rate of one stream.
pub(crate) struct Resampler {
    from: usize,
    to: usize,
    channels: usize,
    filter: Option<Filter>,
}

struct Filter {
    fft: Fft<f32>,
    input: Vec<f32>,
    output: Vec<f32>,
}

impl Resampler {
    /// A resampler for interleaved frames of 10 ms.
    ///
    /// # Errors
    /// Where a rate is no multiple of 100 Hz or no sound's, or the channels are none or too many.
    pub(crate) fn new(from_hz: u32, to_hz: u32, channels: u32) -> Result<Self, Error> {
        let is_rate = |hz: u32| hz > 0 && hz <= HIGHEST_HZ && hz.is_multiple_of(FRAMES_PER_SECOND);
        let refused = Error { from_hz, to_hz, channels };
        if !(is_rate(from_hz) && is_rate(to_hz) && (1..=CHANNELS_LIMIT).contains(&channels)) {
            return Err(refused);
        }
        let [from, to] = [from_hz, to_hz].map(|hz| (hz / FRAMES_PER_SECOND) as usize);
        let channels = channels as usize;
        let filter = if from == to {
            None
        } else {
            let [from_hz, to_hz] = [from_hz as usize, to_hz as usize];
            let (window, both) = (WindowFunction::BlackmanHarris2, FixedSync::Both);
            let made = Fft::new_custom(from_hz, to_hz, from, BLOCKS, channels, window, both);
            let fft = made.map_err(|_| refused)?;
            let [input, output] = [from, to].map(|length| vec![0.0; length * channels]);
            Some(Filter { fft, input, output })
        };
        Ok(Self { from, to, channels, filter })
    }

    /// How many values an input frame has, all channels together.
    pub(crate) fn input_len(&self) -> usize {
        self.from * self.channels
    }

    /// Appends the frame that `frame` becomes to `out`.
    ///
    /// # Panics
    /// Where `frame` is not [`input_len`](Self::input_len) long.
    pub(crate) fn push(&mut self, frame: &[i16], out: &mut Vec<i16>) {
        assert_eq!(frame.len(), self.input_len(), "a frame is 10 ms of all channels");
        match &mut self.filter {
            None => out.extend_from_slice(frame),
            Some(filter) => filter.push(frame, [self.from, self.to], self.channels, out),
        }
    }
}

impl Filter {
    fn push(&mut self, frame: &[i16], [from, to]: [usize; 2], channels: usize, out: &mut Vec<i16>) {
        for (slot, &sample) in self.input.iter_mut().zip(frame) {
            *slot = f32::from(sample);
        }
        let input = InterleavedSlice::new(&self.input, channels, from).expect("a whole frame");
        let mut output =
            InterleavedSlice::new_mut(&mut self.output, channels, to).expect("its own length");
        self.fft
            .process_into_buffer(&input, &mut output, None)
            .expect("both buffers are one frame, which the filter was made for");
        out.extend(self.output.iter().map(|&sample| sample.round() as i16));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imp::audio::tests::tone::{Tone, purity};

    fn resampled(from_hz: u32, to_hz: u32) -> Vec<i16> {
        let mut resampler = Resampler::new(from_hz, to_hz, 1).unwrap();
        let mut tone = Tone::new(440.0, from_hz, 12_000.0);
        let mut out = Vec::new();
        for _ in 0..100 {
            let frame = tone.take(resampler.input_len());
            resampler.push(&frame, &mut out);
        }
        out
    }

    #[test]
    fn a_tone_stays_one_at_each_rate() {
        for (from, to) in [
            (44_100, 48_000),
            (48_000, 44_100),
            (48_000, 8_000),
            (48_000, 24_000),
            (32_000, 48_000),
        ] {
            let out = resampled(from, to);
            assert_eq!(out.len(), to as usize, "{from} to {to}");
            let pure = purity(&out[to as usize / 50..], 440.0, to);
            assert!(pure > 0.999, "{from} to {to}: {pure}");
        }
    }

    #[test]
    fn channels_stay_apart() {
        let mut resampler = Resampler::new(16_000, 48_000, 2).unwrap();
        let frame: Vec<i16> = (0..160).flat_map(|_| [8_000, 0]).collect();
        let mut out = Vec::new();
        for _ in 0..10 {
            resampler.push(&frame, &mut out);
        }
        assert_eq!(out.len(), 10 * 960);
        assert!(out.iter().skip(1).step_by(2).all(|&right| right == 0));
        assert!((out[9_000] - 8_000).abs() < 100, "{}", out[9_000]);
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        for (from, to, channels) in [
            (0, 48_000, 1),
            (48_000, 0, 1),
            (11_025, 48_000, 1),
            (HIGHEST_HZ + 100, 48_000, 1),
            (48_000, HIGHEST_HZ + 100, 1),
            (48_000, 8_000, 0),
            (8_000, 8_000, 9),
        ] {
            assert!(Resampler::new(from, to, channels).is_err(), "{from} {to} {channels}");
        }
    }
}
