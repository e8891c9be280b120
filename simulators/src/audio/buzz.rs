//! A voice for text that nobody recorded: a low harmonic buzz that rises and falls like syllables,
//! loud enough for any voice activity detector and plainly not a person.

use std::f64::consts::TAU;

/// Pitch of the buzz in Hz.
const PITCH_HZ: f64 = 130.0;
/// Syllables per second.
const SYLLABLES_HZ: f64 = 4.0;
/// Peak of the loudest syllable.
const PEAK: f64 = 9_000.0;
/// Strength of each harmonic of the pitch.
const HARMONICS: [f64; 6] = [1.0, 0.8, 0.6, 0.35, 0.2, 0.1];

/// `count` samples of the buzz at `rate_hz`, beginning `offset` samples into it, so that pieces
/// laid end to end sound as one.
pub(crate) fn buzz(count: usize, rate_hz: u32, offset: u64) -> Vec<i16> {
    let table = wave_table();
    let rate = f64::from(rate_hz);
    (offset..offset + count as u64).map(|index| sample(&table, index as f64 / rate)).collect()
}

/// One period of the pitch, 256 steps, within −1..=1.
fn wave_table() -> [f64; 256] {
    let total: f64 = HARMONICS.iter().sum();
    std::array::from_fn(|step| {
        let phase = TAU * step as f64 / 256.0;
        let waves = HARMONICS.iter().enumerate();
        waves.map(|(nth, level)| level * (phase * (nth + 1) as f64).sin()).sum::<f64>() / total
    })
}

/// The buzz `seconds` after its start.
fn sample(table: &[f64; 256], seconds: f64) -> i16 {
    let step = (seconds * PITCH_HZ).fract() * 256.0;
    let syllable = (seconds * SYLLABLES_HZ).fract();
    let envelope = 0.25 + 3.0 * syllable * (1.0 - syllable);
    (table[step as usize % 256] * envelope * PEAK) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_join_without_a_seam() {
        let whole = buzz(480, 24_000, 0);
        assert_eq!([buzz(200, 24_000, 0), buzz(280, 24_000, 200)].concat(), whole);
        assert!(whole.iter().any(|sample| sample.abs() > 1_000));
    }
}
