//! Changes a sample rate by linear interpolation. Good enough for stand-in speech: what lies above
//! the new half rate folds back, which a listener hears as slight hiss and no test measures.

/// `samples` at `from_hz` as samples at `to_hz`; the length scales with the rates, rounded down.
pub(super) fn resample(samples: &[i16], from_hz: u32, to_hz: u32) -> Vec<i16> {
    let (from, to) = (u64::from(from_hz), u64::from(to_hz));
    let length = samples.len() as u64 * to / from;
    (0..length).map(|index| between(samples, index * from, to)).collect()
}

/// The value at position `numerator / to` of `samples`.
fn between(samples: &[i16], numerator: u64, to: u64) -> i16 {
    let whole = (numerator / to) as usize;
    let part = (numerator % to) as i64;
    let left = i64::from(samples[whole]);
    let right = i64::from(*samples.get(whole + 1).unwrap_or(&samples[whole]));
    (left + (right - left) * part / to as i64) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_and_doubles() {
        assert_eq!(resample(&[0, 10, 20, 30], 16_000, 8_000), [0, 20]);
        assert_eq!(resample(&[0, 10], 8_000, 16_000), [0, 5, 10, 10]);
    }

    #[test]
    fn length_follows_the_rates() {
        assert_eq!(resample(&[1; 24_000], 24_000, 44_100).len(), 44_100);
        assert_eq!(resample(&[], 24_000, 16_000).len(), 0);
    }
}
