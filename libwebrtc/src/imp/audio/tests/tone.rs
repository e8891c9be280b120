//! Tones, and how much of a sound is one.

use std::f64::consts::TAU;

/// A sine that goes on from one piece to the next.
#[derive(Debug, Clone)]
pub(crate) struct Tone {
    step: f64,
    amplitude: f64,
    next: u64,
}

impl Tone {
    pub(crate) fn new(frequency_hz: f64, rate_hz: u32, amplitude: f64) -> Self {
        Self { step: TAU * frequency_hz / f64::from(rate_hz), amplitude, next: 0 }
    }

    /// The next `count` samples.
    pub(crate) fn take(&mut self, count: usize) -> Vec<i16> {
        let from = self.next;
        self.next += count as u64;
        let sample = |k| (self.amplitude * (self.step * k as f64).sin()).round() as i16;
        (from..self.next).map(sample).collect()
    }
}

/// Sounds like a voice to an encoder, in `count` samples of 48 kHz: a pitch that glides, three
/// formants, four syllables a second.
pub(crate) fn voice(count: usize) -> Vec<i16> {
    let mut phase = 0.0;
    let sample = |k: usize| {
        let time = k as f64 / 48_000.0;
        phase += TAU * (130.0 + 30.0 * (TAU * 0.7 * time).sin()) / 48_000.0;
        let syllable = (TAU * 4.0 * time).sin().max(0.0).sqrt();
        let partial = |n: u32| {
            let frequency = 130.0 * f64::from(n);
            let near = |formant: f64| (-((frequency - formant) / 150.0).powi(2)).exp();
            (near(600.0) + 0.5 * near(1_200.0) + 0.3 * near(2_500.0)) * (f64::from(n) * phase).sin()
        };
        (4_000.0 * syllable * (1..24).map(partial).sum::<f64>()) as i16
    };
    (0..count).map(sample).collect()
}

/// The share of the energy in `samples` that is the tone, measured in windows of 100 ms.
pub(crate) fn purity(samples: &[i16], frequency_hz: f64, rate_hz: u32) -> f64 {
    let windows = samples.chunks_exact(rate_hz as usize / 10);
    let (tone, all) = windows
        .map(|window| energies(window, frequency_hz, rate_hz))
        .fold((0.0, 0.0), |(tone, all), (more_tone, more)| (tone + more_tone, all + more));
    if all > 0.0 { tone / all } else { 0.0 }
}

/// The energy of the tone in a window, and of all.
fn energies(window: &[i16], frequency_hz: f64, rate_hz: u32) -> (f64, f64) {
    let step = TAU * frequency_hz / f64::from(rate_hz);
    let (mut sine, mut cosine, mut all) = (0.0, 0.0, 0.0);
    for (k, &sample) in window.iter().enumerate() {
        let (sin, cos) = (step * k as f64).sin_cos();
        let sample = f64::from(sample);
        sine += sample * sin;
        cosine += sample * cos;
        all += sample * sample;
    }
    (2.0 * (sine * sine + cosine * cosine) / window.len() as f64, all)
}

/// The mean level of `samples`: the root of the mean square.
pub(crate) fn level(samples: &[i16]) -> f64 {
    let energy: f64 = samples.iter().map(|&sample| f64::from(sample).powi(2)).sum();
    (energy / samples.len().max(1) as f64).sqrt()
}

#[test]
fn a_tone_is_pure_and_noise_is_not() {
    let tone = Tone::new(440.0, 48_000, 9_000.0).take(48_000);
    assert!(purity(&tone, 440.0, 48_000) > 0.9999);
    assert!(purity(&tone, 500.0, 48_000) < 0.01);
    let half: Vec<i16> = tone
        .iter()
        .zip(Tone::new(700.0, 48_000, 9_000.0).take(48_000))
        .map(|(a, b)| a / 2 + b / 2)
        .collect();
    assert!((purity(&half, 440.0, 48_000) - 0.5).abs() < 0.01);
    assert!((level(&tone) - 6_364.0).abs() < 5.0);
}
