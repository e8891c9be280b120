//! Streaming change of the sample rate of mono sound.
//!
//! Samples go in as they come, in pieces of any length; resampled sound comes out as soon as it is
//! known. Output sample `k` stands for the instant `k / to` of the stream, to half a sample: the
//! filter's delay shows as sound that comes out later, never as silence at the front.
//! [`flush`](Resampler::flush) gives what is left. Equal rates pass through untouched.

use std::num::NonZeroU32;
use std::time::Duration;

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Async, FixedAsync, Resampler as _, SincInterpolationParameters, SincInterpolationType,
    WindowFunction,
};

/// Taps of the filter, counted at the lower of the two rates. 64 keep three quarters of the band
/// within 1 dB, and cost half of their length in delay: 2 ms at 16 kHz, 4 ms at 8 kHz.
const TAPS: u32 = 64;

/// Taps come in groups of this many.
const TAP_GROUP: u32 = 8;

/// Points between two taps at the lower rate; with cubic interpolation the error lies below that of
/// 16 bits.
const OVERSAMPLING: u32 = 64;

/// The filter works on so many pieces per second: two in a frame of 20 ms, so that a frame that
/// comes whole is not held back.
const BLOCKS_PER_SECOND: u32 = 100;

/// Changes the sample rate of one stream of mono sound.
pub struct Resampler {
    from: NonZeroU32,
    to: NonZeroU32,
    filter: Option<Filter>,
}

/// The filter and what it has not worked on yet.
struct Filter {
    sinc: Async<f32>,
    /// Half of the filter in input samples.
    look_ahead: u32,
    block: usize,
    pending: Vec<f32>,
    resampled: Vec<f32>,
    /// Output samples at the beginning of a stream that lie before its first sample.
    run_up: usize,
    /// How many of them are still to be left out.
    skip: usize,
    taken: u64,
    given: u64,
}

impl Resampler {
    /// A resampler for a stream of `from` samples per second that gives `to` per second.
    ///
    /// # Panics
    /// Where a rate lies beyond 60 MHz, as none of sound does.
    pub fn new(from: NonZeroU32, to: NonZeroU32) -> Self {
        let filter = (from != to).then(|| Filter::new(from, to));
        Self { from, to, filter }
    }

    /// The rate of what goes in, in Hz.
    pub fn from_hz(&self) -> NonZeroU32 {
        self.from
    }

    /// The rate of what comes out, in Hz.
    pub fn to_hz(&self) -> NonZeroU32 {
        self.to
    }

    /// By how much the output lags at most: half of the filter, and a block of 10 ms that is not
    /// full. Sound that comes in multiples of 10 ms lags by half of the filter alone.
    pub fn longest_delay(&self) -> Duration {
        let Some(filter) = &self.filter else { return Duration::ZERO };
        let samples = filter.block as f64 + f64::from(filter.look_ahead);
        Duration::from_secs_f64(samples / f64::from(self.from.get()))
    }

    /// Takes samples and appends to `out` those that they settle.
    pub fn push(&mut self, samples: &[i16], out: &mut Vec<i16>) {
        match &mut self.filter {
            None => out.extend_from_slice(samples),
            Some(filter) => filter.push(samples, out),
        }
    }

    /// Appends what is left of the stream to `out`. What is pushed next is a new stream.
    pub fn flush(&mut self, out: &mut Vec<i16>) {
        if let Some(filter) = &mut self.filter {
            filter.flush(self.from, self.to, out);
        }
    }

    /// The whole of `samples`, resampled.
    pub fn all(from: NonZeroU32, to: NonZeroU32, samples: &[i16]) -> Vec<i16> {
        let mut resampler = Self::new(from, to);
        let mut out = Vec::new();
        resampler.push(samples, &mut out);
        resampler.flush(&mut out);
        out
    }
}

impl Filter {
    fn new(from: NonZeroU32, to: NonZeroU32) -> Self {
        let ratio = f64::from(to.get()) / f64::from(from.get());
        let lower = from.min(to).get();
        let taps = (TAPS * from.get()).div_ceil(lower).next_multiple_of(TAP_GROUP);
        let oversampling = (OVERSAMPLING * lower).div_ceil(from.get());
        let parameters = SincInterpolationParameters::new(taps as usize, WindowFunction::Blackman2)
            .oversampling_factor(oversampling as usize)
            .interpolation(SincInterpolationType::Cubic);
        let look_ahead = taps / 2;
        let block = (from.get() / BLOCKS_PER_SECOND).max(1) as usize;
        let sinc = Async::new_sinc(ratio, 1.0, &parameters, block, 1, FixedAsync::Input)
            .expect("the ratio of two rates is positive and the block is not empty");
        // The first sample that comes out lies one step after the point half a filter before the
        // first that goes in (seen by its phase; the crate's own figure is one more).
        let steps = (f64::from(look_ahead) * ratio).round() as usize;
        let run_up = steps.saturating_sub(1);
        let resampled = vec![0.0; sinc.output_frames_max()];
        let pending = Vec::with_capacity(block);
        Self {
            sinc,
            look_ahead,
            block,
            pending,
            resampled,
            run_up,
            skip: run_up,
            taken: 0,
            given: 0,
        }
    }

    fn push(&mut self, mut samples: &[i16], out: &mut Vec<i16>) {
        self.taken += samples.len() as u64;
        while !samples.is_empty() {
            let room = self.block - self.pending.len();
            let (now, later) = samples.split_at(room.min(samples.len()));
            self.pending.extend(now.iter().map(|&sample| f32::from(sample)));
            samples = later;
            if self.pending.len() == self.block {
                self.run(out);
            }
        }
    }

    fn flush(&mut self, from: NonZeroU32, to: NonZeroU32, out: &mut Vec<i16>) {
        let whole = self.taken * u64::from(to.get()) / u64::from(from.get());
        let surplus = loop {
            match self.given.checked_sub(whole) {
                Some(surplus) => break surplus,
                None => {
                    self.pending.resize(self.block, 0.0);
                    self.run(out);
                }
            }
        };
        let surplus = usize::try_from(surplus).expect("a surplus is shorter than a block");
        out.truncate(out.len() - surplus);
        self.sinc.reset();
        self.pending.clear();
        (self.taken, self.given, self.skip) = (0, 0, self.run_up);
    }

    /// Works on one full block.
    fn run(&mut self, out: &mut Vec<i16>) {
        let room = self.resampled.len();
        let from = InterleavedSlice::new(&self.pending, 1, self.block).expect("a full block");
        let mut to = InterleavedSlice::new_mut(&mut self.resampled, 1, room).expect("its length");
        let (_, made) = self
            .sinc
            .process_into_buffer(&from, &mut to, None)
            .expect("the buffers have the lengths that the filter asks for");
        self.pending.clear();
        let skipped = self.skip.min(made);
        self.skip -= skipped;
        self.given += (made - skipped) as u64;
        out.extend(self.resampled[skipped..made].iter().map(|&sample| to_i16(sample)));
    }
}

#[expect(clippy::cast_possible_truncation, reason = "rounds, and saturates at full scale")]
fn to_i16(sample: f32) -> i16 {
    sample.round() as i16
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use proptest::prelude::*;

    use super::*;

    const LEVEL: f64 = 12_000.0;

    fn hz(rate: u32) -> NonZeroU32 {
        NonZeroU32::new(rate).unwrap()
    }

    fn tone(frequency: f64, rate: u32, count: usize) -> Vec<i16> {
        let step = TAU * frequency / f64::from(rate);
        (0..count).map(|k| ((k as f64 * step).sin() * LEVEL) as i16).collect()
    }

    /// The tone in `samples`, the ramps at both ends left out: its level, its shift in samples, and
    /// the largest difference from that tone in parts of the level.
    fn measure(samples: &[i16], frequency: f64, rate: u32) -> (f64, f64, f64) {
        let edge = rate as usize / 50;
        let step = TAU * frequency / f64::from(rate);
        let within = || samples.iter().enumerate().take(samples.len() - edge).skip(edge);
        let (sine, cosine, count) =
            within().fold((0.0, 0.0, 0.0), |(sine, cosine, count), (k, &s)| {
                let (sin, cos) = (k as f64 * step).sin_cos();
                (sine + f64::from(s) * sin, cosine + f64::from(s) * cos, count + 0.5)
            });
        let (sine, cosine) = (sine / count, cosine / count);
        let rest = within().map(|(k, &s)| {
            let (sin, cos) = (k as f64 * step).sin_cos();
            (f64::from(s) - sine * sin - cosine * cos).abs()
        });
        let level = sine.hypot(cosine);
        (level, cosine.atan2(sine) / step, rest.fold(0.0, f64::max) / level)
    }

    #[test]
    fn a_tone_keeps_frequency_level_and_place() {
        for (from, to) in [(8_000, 16_000), (24_000, 16_000), (44_100, 16_000), (48_000, 8_000)] {
            let input = tone(1_000.0, from, from as usize);
            let output = Resampler::all(hz(from), hz(to), &input);
            assert_eq!(output.len(), to as usize, "{from} to {to}");
            let (level, shift, rest) = measure(&output, 1_000.0, to);
            assert!((level / LEVEL - 1.0).abs() < 0.01, "{from} to {to}: level {level}");
            assert!(shift.abs() <= 0.51, "{from} to {to}: shifted by {shift} samples");
            assert!(rest < 0.002, "{from} to {to}: {rest} is not the tone");
        }
    }

    #[test]
    fn the_band_of_a_voice_is_kept() {
        for (from, to) in [(8_000, 16_000), (16_000, 24_000), (24_000, 16_000), (24_000, 8_000)] {
            let frequency = 0.375 * f64::from(from.min(to));
            let input = tone(frequency, from, from as usize);
            let (level, ..) = measure(&Resampler::all(hz(from), hz(to), &input), frequency, to);
            let decibels = 20.0 * (level / LEVEL).log10();
            assert!(decibels.abs() < 1.0, "{from} to {to}: {decibels} dB at {frequency} Hz");
        }
    }

    #[test]
    fn a_tone_above_the_new_band_is_gone() {
        let input = tone(11_000.0, 24_000, 24_000);
        let output = Resampler::all(hz(24_000), hz(16_000), &input);
        let loudest = output[320..output.len() - 320].iter().map(|s| s.unsigned_abs()).max();
        assert!(loudest < Some(60), "{loudest:?}");
    }

    #[test]
    fn equal_rates_pass_untouched() {
        let input = tone(300.0, 16_000, 1_000);
        assert_eq!(Resampler::all(hz(16_000), hz(16_000), &input), input);
    }

    #[test]
    fn whole_frames_lag_by_half_the_filter_alone() {
        let mut resampler = Resampler::new(hz(24_000), hz(16_000));
        let mut out = Vec::new();
        resampler.push(&tone(200.0, 24_000, 480), &mut out);
        let lag = 320 - out.len();
        assert!(lag <= 40, "{lag} samples are 2.5 ms or more");
        assert!(resampler.longest_delay() < Duration::from_millis(13));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]

        #[test]
        fn frame_borders_do_not_show(cuts in prop::collection::vec(0_usize..500, 1..8)) {
            let total = cuts.iter().sum();
            let input = tone(440.0, 24_000, total);
            let mut resampler = Resampler::new(hz(24_000), hz(16_000));
            let (mut pieces, mut rest) = (Vec::new(), input.as_slice());
            for cut in cuts {
                let (now, later) = rest.split_at(cut);
                resampler.push(now, &mut pieces);
                rest = later;
            }
            resampler.flush(&mut pieces);
            prop_assert_eq!(pieces.len(), total * 2 / 3);
            prop_assert_eq!(pieces, Resampler::all(hz(24_000), hz(16_000), &input));
        }

        #[test]
        fn a_flushed_resampler_begins_anew(count in 1_usize..1_000) {
            let input = tone(700.0, 8_000, count);
            let mut resampler = Resampler::new(hz(8_000), hz(24_000));
            let (mut first, mut second) = (Vec::new(), Vec::new());
            resampler.push(&input, &mut first);
            resampler.flush(&mut first);
            resampler.push(&input, &mut second);
            resampler.flush(&mut second);
            prop_assert_eq!(first.len(), count * 3);
            prop_assert_eq!(first, second);
        }
    }
}
