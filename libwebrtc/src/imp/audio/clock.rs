//! Time as samples of the RTP clock of Opus.

use std::time::Duration;

/// Ticks per second of the RTP clock of Opus, at whatever rate it was recorded (RFC 7587, section
/// 4.1).
pub(crate) const RATE_HZ: u32 = 48_000;

/// Samples per channel of the 10 ms in which sound is handed on.
pub(crate) const FRAME: usize = 480;

/// Nanoseconds of three samples: 48 000 does not divide a second's nanoseconds.
const THREE_SAMPLES_NS: u128 = 62_500;

/// Far beyond any call, and far enough from the end of `i64` that sums and differences hold.
const LONGEST: i64 = i64::MAX / 8;

/// Whole samples in `time`, which saturates after some hundred thousand years.
pub(crate) fn to_samples(time: Duration) -> i64 {
    i64::try_from(time.as_nanos() * 3 / THREE_SAMPLES_NS).map_or(LONGEST, |all| all.min(LONGEST))
}

/// How long `samples` last; nothing for a negative number.
pub(crate) fn to_duration(samples: i64) -> Duration {
    let samples = u64::try_from(samples).unwrap_or(0);
    let rest = samples % u64::from(RATE_HZ) * 62_500 / 3;
    Duration::from_secs(samples / u64::from(RATE_HZ)) + Duration::from_nanos(rest)
}

/// Samples in `millis` milliseconds.
pub(crate) const fn ms(millis: i64) -> i64 {
    millis * (RATE_HZ as i64 / 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_and_durations_agree() {
        for (time, samples) in [
            (Duration::ZERO, 0),
            (Duration::from_millis(10), 480),
            (Duration::from_micros(20), 0),
            (Duration::from_micros(21), 1),
            (Duration::from_secs(3_600), 172_800_000),
        ] {
            assert_eq!(to_samples(time), samples, "{time:?}");
        }
        assert_eq!(to_duration(ms(20)), Duration::from_millis(20));
        assert_eq!(to_duration(-5), Duration::ZERO);
    }

    #[test]
    fn the_longest_time_saturates() {
        assert_eq!(to_samples(Duration::MAX), LONGEST);
    }
}
