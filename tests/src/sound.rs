//! Sound in tests: WAV files in and out, its loudness, its edges.

use std::f64::consts::PI;
use std::path::Path;
use std::time::Duration;

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};

/// The sound of one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sound {
    /// Samples per second.
    pub rate_hz: u32,
    /// The samples, i16.
    pub samples: Vec<i16>,
}

impl Sound {
    /// Every channel of the 16-bit WAV file at `path`.
    ///
    /// # Panics
    /// Where it is none.
    pub fn read(path: &Path) -> Vec<Self> {
        let mut reader = WavReader::open(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        let WavSpec { channels, sample_rate: rate_hz, .. } = reader.spec();
        let samples: Vec<i16> = reader.samples().map(|sample| sample.expect("16 bits")).collect();
        let channels = usize::from(channels);
        let channel = |first| samples.iter().skip(first).step_by(channels).copied().collect();
        (0..channels).map(|first| Self { rate_hz, samples: channel(first) }).collect()
    }

    /// Writes a mono file.
    ///
    /// # Panics
    /// Where it cannot be written.
    pub fn write(&self, path: &Path) {
        Self::write_all(std::slice::from_ref(self), path);
    }

    /// Writes `channels`, all of one length, into one file.
    ///
    /// # Panics
    /// Where it cannot be written.
    pub fn write_all(channels: &[Self], path: &Path) {
        let (count, first) = (channels.len() as u16, &channels[0]);
        let (sample_rate, sample_format) = (first.rate_hz, SampleFormat::Int);
        let spec = WavSpec { channels: count, sample_rate, bits_per_sample: 16, sample_format };
        let mut writer = WavWriter::create(path, spec).expect("the folder is writable");
        for at in 0..first.samples.len() {
            for channel in channels {
                writer.write_sample(channel.samples[at]).expect("the disk has room");
            }
        }
        writer.finalize().expect("the disk has room");
    }

    /// How long it plays.
    pub fn length(&self) -> Duration {
        Duration::from_secs_f64(self.samples.len() as f64 / f64::from(self.rate_hz))
    }

    /// The same at another rate: each sample is the mean of those around its place, weighted by a
    /// window that keeps out what the lower of the two rates cannot carry.
    pub fn at_rate(&self, rate_hz: u32) -> Self {
        const ZEROS: f64 = 16.0;
        let ratio = f64::from(self.rate_hz) / f64::from(rate_hz);
        let narrow = ratio.max(1.0);
        let reach = ZEROS * narrow;
        let weight = |distance: f64| {
            let (x, edge) = (PI * distance / narrow, 0.5 + 0.5 * (PI * distance / reach).cos());
            if x == 0.0 { 1.0 / narrow } else { x.sin() / x * edge / narrow }
        };
        let sample = |at: usize| {
            let place = at as f64 * ratio;
            let [from, to] = [place - reach, place + reach].map(|at| at.max(0.0).ceil() as usize);
            let near = self.samples.iter().enumerate().take(to).skip(from);
            let sum: f64 = near.map(|(n, &s)| f64::from(s) * weight(n as f64 - place)).sum();
            sum.round() as i16
        };
        let count = (self.samples.len() as f64 / ratio) as usize;
        Self { rate_hz, samples: (0..count).map(sample).collect() }
    }

    /// The number of samples in `ms`.
    pub fn samples_in(&self, ms: u64) -> usize {
        usize::try_from(ms * u64::from(self.rate_hz) / 1_000).expect("a test's sound is short")
    }

    /// The part from `from_ms` to `to_ms`, as far as there is one.
    pub fn part(&self, from_ms: u64, to_ms: u64) -> Self {
        let [from, to] = [from_ms, to_ms].map(|ms| self.samples_in(ms).min(self.samples.len()));
        Self { samples: self.samples[from..to].to_vec(), ..*self }
    }

    /// Silence of `ms`, then this.
    pub fn after_silence(&self, ms: u64) -> Self {
        let mut samples = vec![0; self.samples_in(ms)];
        samples.extend(&self.samples);
        Self { samples, ..*self }
    }

    /// The root mean square of the samples, in steps of 16 bits.
    pub fn loudness(&self) -> f64 {
        let squares: f64 = self.samples.iter().map(|&sample| f64::from(sample).powi(2)).sum();
        (squares / self.samples.len().max(1) as f64).sqrt()
    }

    /// The first sample that is not 0, counted from the sample `from` on.
    pub fn first_sound(&self, from: usize) -> Option<usize> {
        let found = self.samples.iter().skip(from).position(|&sample| sample != 0);
        found.map(|at| from + at)
    }
}

/// Where the samples from µs `from_us` on begin.
pub fn place(rate_hz: u32, at_us: u64) -> usize {
    usize::try_from(at_us * u64::from(rate_hz) / 1_000_000).expect("a test's sound is short")
}

/// Checks that `sound`, in which `whole` is played from the sample `begin` on, falls silent no
/// later than the sample `latest` and stays so until the sample `until`; and that 40 ms more of it
/// would have shown.
///
/// # Errors
/// What does not hold.
pub fn fell_silent(
    sound: &Sound,
    whole: &Sound,
    begin: usize,
    latest: usize,
    until: usize,
) -> Result<(), String> {
    if let Some(late) = sound.first_sound(latest).filter(|at| *at < until) {
        let ms = (late - latest) as u64 * 1_000 / u64::from(sound.rate_hz);
        return Err(format!("the voice is heard {ms} ms after it had to be silent"));
    }
    let played = &sound.samples[begin..latest];
    let spoken = played.iter().zip(&whole.samples).take_while(|(a, b)| a == b).count();
    let more = spoken + sound.samples_in(40);
    let missing = whole.samples.get(spoken..more).ok_or("the answer was over anyway")?;
    let missing = Sound { samples: missing.to_vec(), ..*sound };
    if spoken < sound.samples_in(500) || missing.loudness() < 100.0 {
        return Err(format!("it paused by itself after {spoken} samples, so this shows nothing"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::Tone;

    const BEGIN: usize = 2_400;
    const LATEST: usize = BEGIN + 24_000;

    /// A second and a half of a tone, of which `spoken` samples are played.
    fn check(spoken: usize) -> Result<(), String> {
        let samples = (0..36_000).map(|n: i32| ((n % 100) * 100 - 4_950) as i16 | 1).collect();
        let whole = Sound { rate_hz: 24_000, samples };
        let mut played = vec![0; 48_000];
        played[BEGIN..BEGIN + spoken].copy_from_slice(&whole.samples[..spoken]);
        let played = Sound { samples: played, ..whole };
        fell_silent(&played, &whole, BEGIN, LATEST, 48_000)
    }

    #[test]
    fn another_rate_keeps_the_tone() {
        for (from, to) in [(24_000, 8_000), (24_000, 16_000), (24_000, 48_000)] {
            let tone = Tone::new(1_000.0);
            let heard = tone.measure(&tone.sound(from, 1_000).at_rate(to)).unwrap();
            assert!(heard.purity > 0.999 && heard.level_db.abs() < 0.1, "{to}: {heard:?}");
        }
        let high = Tone::new(6_000.0).sound(24_000, 1_000).at_rate(8_000);
        assert!(high.loudness() < 100.0, "{}", high.loudness());
    }

    #[test]
    fn a_voice_that_goes_on_for_too_long_is_found() {
        assert_eq!(check(24_000), Ok(()));
        assert!(check(24_001).is_err(), "one sample too many");
        assert!(check(24_000 + 960).is_err(), "40 ms too many");
    }

    #[test]
    fn a_voice_that_pauses_by_itself_proves_nothing() {
        assert!(check(11_999).is_err(), "too little was said");
        assert!(check(36_000 - 12_000 - 1).is_ok());
    }
}
