//! How loud sound is, in the unit of the audio level header extension.

/// What the extension says of digital silence, and its lowest level (RFC 6464, section 3).
pub(crate) const SILENCE_DBOV: u8 = 127;

/// The level of `samples` in dB below overload (RFC 6464): 0 is a square wave at full scale, 127
/// is silence, and 3 is a sine at full scale.
pub(crate) fn below_overload(samples: &[i16]) -> u8 {
    let energy: f64 = samples.iter().map(|&sample| f64::from(sample).powi(2)).sum();
    if energy == 0.0 {
        return SILENCE_DBOV;
    }
    let mean = energy / samples.len() as f64;
    let decibels = -10.0 * (mean / f64::from(i16::MAX).powi(2)).log10();
    decibels.round().clamp(0.0, f64::from(SILENCE_DBOV)) as u8
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;

    fn sine(peak: f64) -> Vec<i16> {
        (0..480).map(|k| (peak * (TAU * f64::from(k) / 48.0).sin()) as i16).collect()
    }

    #[test]
    fn levels_are_those_of_the_definition() {
        assert_eq!(below_overload(&[]), SILENCE_DBOV);
        assert_eq!(below_overload(&[0; 480]), SILENCE_DBOV);
        assert_eq!(below_overload(&[i16::MAX, i16::MIN]), 0);
        assert_eq!(below_overload(&sine(32_767.0)), 3);
        assert_eq!(below_overload(&sine(3_276.7)), 23);
        assert_eq!(below_overload(&[1; 480]), 90);
    }
}
