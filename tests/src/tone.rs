//! Tones: made, and found again in what was heard.

use std::f64::consts::TAU;
use std::time::Duration;

use crate::sound::Sound;

/// The length of a window in which purity and frequency are measured, in ms.
const WINDOW_MS: u64 = 100;

/// The length of a window in which loudness is measured, in ms.
const STEP_MS: u64 = 10;

/// Part of a tone's loudness below which a window counts as silent.
const SILENT: f64 = 0.25;

/// What an encoder, a jitter buffer and a gain that find their level may take at the beginning.
const SETTLING_MS: u64 = 500;

/// What the end may lack of, where the last packet is faded out.
const ENDING_MS: u64 = 60;

/// A sine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tone {
    /// Its frequency, below half of any rate that it is played at.
    pub frequency_hz: f64,
    /// Its highest sample, in steps of 16 bits.
    pub amplitude: f64,
}

/// What of a tone was heard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heard {
    /// From its first to its last sound.
    pub length: Duration,
    /// Within that: all windows of 10 ms that are silent, together.
    pub silent: Duration,
    /// Its loudness against what was played, in dB.
    pub level_db: f64,
    /// The share of the energy that is the tone, in each window at its own pitch: 1 for nothing
    /// but. Sound that catches up is detuned by up to a hundredth, and pure.
    pub purity: f64,
    /// The same of a window of 100 ms that is purer than half of them and less pure than the rest:
    /// a busy machine that interrupts the sound for once does not change it.
    pub typical_purity: f64,
    /// Its frequency less the one that was played.
    pub detuned_hz: f64,
}

impl Tone {
    /// A tone of that frequency, as loud as a voice.
    pub fn new(frequency_hz: f64) -> Self {
        Self { frequency_hz, amplitude: 8_000.0 }
    }

    /// Plays it for `ms`.
    pub fn sound(&self, rate_hz: u32, ms: u64) -> Sound {
        let step = TAU * self.frequency_hz / f64::from(rate_hz);
        let sample = |at: u64| (self.amplitude * (step * at as f64).sin()).round() as i16;
        let count = ms * u64::from(rate_hz) / 1_000;
        Sound { rate_hz, samples: (0..count).map(sample).collect() }
    }

    /// The part of `sound` from the tone's first sound to its last.
    pub fn find(&self, sound: &Sound) -> Option<Sound> {
        let loud = self.loud(sound);
        let first = loud.iter().position(|&loud| loud)? as u64;
        let last = loud.iter().rposition(|&loud| loud)? as u64;
        Some(sound.part(first * STEP_MS, (last + 1) * STEP_MS))
    }

    /// Measures the tone in `sound`; its beginning and its end do not count for level, purity and
    /// frequency. `None` where it is not heard for long enough.
    pub fn measure(&self, sound: &Sound) -> Option<Heard> {
        let whole = self.find(sound)?;
        let end = whole.length().as_millis() as u64;
        let begin = SETTLING_MS.min(end);
        let settled = whole.part(begin, end.saturating_sub(ENDING_MS).max(begin));
        let windows = self.windows(&settled);
        if windows.is_empty() {
            return None;
        }
        let silent = self.loud(&whole).iter().filter(|&&loud| !loud).count() as u64;
        let loudness = settled.loudness() * 2.0_f64.sqrt() / self.amplitude;
        let tone: f64 = windows.iter().map(|window| window.tone).sum();
        let all: f64 = windows.iter().map(|window| window.all).sum();
        Some(Heard {
            length: whole.length(),
            silent: Duration::from_millis(silent * STEP_MS),
            level_db: 20.0 * loudness.log10(),
            purity: tone / all,
            typical_purity: median(windows.iter().map(|window| window.tone / window.all)),
            detuned_hz: detuned(&windows),
        })
    }

    /// Of each window of 10 ms, whether it is not silent.
    fn loud(&self, sound: &Sound) -> Vec<bool> {
        let limit = SILENT * self.amplitude / 2.0_f64.sqrt();
        let steps = sound.samples.chunks_exact(sound.samples_in(STEP_MS).max(1));
        let loudness = |samples: &[i16]| Sound { samples: samples.to_vec(), ..*sound }.loudness();
        steps.map(|samples| loudness(samples) > limit).collect()
    }

    fn windows(&self, sound: &Sound) -> Vec<Window> {
        let step = TAU * self.frequency_hz / f64::from(sound.rate_hz);
        let length = sound.samples_in(WINDOW_MS);
        let windows = sound.samples.chunks_exact(length).enumerate();
        windows.map(|(index, samples)| Window::new(samples, step, index * length)).collect()
    }
}

/// How one window goes with the tone.
struct Window {
    /// Against the cosine and the sine.
    parts: [f64; 2],
    /// The energy that is the tone, at the window's own pitch.
    tone: f64,
    /// The whole energy.
    all: f64,
}

impl Window {
    fn new(samples: &[i16], step: f64, from: usize) -> Self {
        let half = samples.len() / 2;
        let (first, second) = samples.split_at(half);
        let [first, second] = [parts(first, step, from), parts(second, step, from + half)];
        let (same, across) = turn(first, second);
        let own = parts(samples, step + across.atan2(same) / half as f64, 0);
        Self {
            parts: [first[0] + second[0], first[1] + second[1]],
            tone: 2.0 * (own[0].powi(2) + own[1].powi(2)) / samples.len() as f64,
            all: samples.iter().map(|&sample| f64::from(sample).powi(2)).sum(),
        }
    }
}

/// How samples go with the cosine and the sine of a tone that turns by `step` with each.
fn parts(samples: &[i16], step: f64, from: usize) -> [f64; 2] {
    let mut parts = [0.0; 2];
    for (at, &sample) in samples.iter().enumerate() {
        let (sine, cosine) = (step * (from + at) as f64).sin_cos();
        parts[0] += f64::from(sample) * cosine;
        parts[1] += f64::from(sample) * sine;
    }
    parts
}

/// By how much the phase turns from the first to the second, beyond the tone's: as a cosine and a
/// sine, and the more they count, the louder both are.
fn turn([a, b]: [f64; 2], [c, d]: [f64; 2]) -> (f64, f64) {
    (c * a + d * b, c * b - d * a)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The frequency beside the tone's, by how its phase turns from window to window.
fn detuned(windows: &[Window]) -> f64 {
    let turns = windows.windows(2).map(|pair| turn(pair[0].parts, pair[1].parts));
    let (same, across) = turns.fold((0.0, 0.0), |(x, y), (a, b)| (x + a, y + b));
    across.atan2(same) / (TAU * WINDOW_MS as f64 / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(sound: &Sound) -> Heard {
        Tone::new(440.0).measure(sound).unwrap()
    }

    #[test]
    fn a_tone_is_found_behind_silence() {
        let sound = Tone::new(440.0).sound(16_000, 2_000).after_silence(300);
        let heard = heard(&sound);
        assert!(heard.purity > 0.9999 && heard.level_db.abs() < 0.01, "{heard:?}");
        assert!(heard.detuned_hz.abs() < 0.01 && heard.silent.is_zero(), "{heard:?}");
        assert_eq!(heard.length, Duration::from_secs(2));
        for end_ms in [300, 340, 800] {
            assert_eq!(Tone::new(440.0).measure(&sound.part(0, end_ms)), None, "until {end_ms} ms");
        }
    }

    #[test]
    fn what_is_wrong_with_it_shows() {
        let mut gap = Tone::new(440.0).sound(48_000, 2_000);
        gap.samples[48_000..48_960].fill(0);
        assert_eq!(heard(&gap).silent, Duration::from_millis(20));
        assert!(heard(&gap).purity < 0.999 && heard(&gap).typical_purity > 0.9999);

        let sharp = heard(&Tone::new(441.0).sound(8_000, 2_000));
        assert!((sharp.detuned_hz - 1.0).abs() < 0.01, "{sharp:?}");
        let flat = heard(&Tone::new(436.0).sound(8_000, 2_000));
        assert!(sharp.purity > 0.999 && flat.purity > 0.999, "both are pure: {sharp:?} {flat:?}");

        let soft = heard(&Tone { amplitude: 4_000.0, ..Tone::new(440.0) }.sound(8_000, 2_000));
        assert!((soft.level_db + 6.02).abs() < 0.01, "{soft:?}");

        assert!(heard(&Tone::new(600.0).sound(8_000, 2_000)).purity < 0.01);
    }
}
