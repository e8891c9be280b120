//! From a client's bytes to frames with capture times. Pure.

use std::num::NonZeroU32;
use std::time::Duration;

use tokio::time::Instant;

use super::wire::Samples;
use crate::message::AudioFrame;
use crate::transport::Resampler;

/// Samples in 20 ms at 16 kHz.
const FRAME_SAMPLES: usize = 320;

/// A message may come this much later than its sound, before the client is taken to have paused.
const LONGEST_LAG: Duration = Duration::from_millis(200);

/// The share of a message's lag by which the clock is set: slow against jitter, fast enough for
/// clocks that differ by far more than the 100 ppm of cheap quartzes.
const DRIFT_SHARE: u32 = 64;

/// Cuts a client's sound into frames of 20 ms at 16 kHz.
pub(super) struct Capture {
    rate: NonZeroU32,
    samples: Samples,
    resampler: Resampler,
    pending: Vec<i16>,
    clock: Clock,
    /// Samples that came, at the client's rate.
    taken: u64,
    /// Samples that were given, at 16 kHz.
    given: u64,
    last: Option<Instant>,
}

/// When the client's sound was captured, as far as its coming tells: no later than it came, without
/// gaps unless the client pauses.
#[derive(Debug, Default)]
struct Clock {
    end: Option<Instant>,
}

impl Clock {
    /// The capture time of the end of a message of `length` that came at `now`.
    fn end(&mut self, now: Instant, length: Duration) -> Instant {
        let lag = self.end.and_then(|end| now.checked_duration_since(end + length));
        let end = match lag {
            Some(lag) if lag <= LONGEST_LAG => now - (lag - lag / DRIFT_SHARE),
            _ => now,
        };
        self.end = Some(end);
        end
    }
}

impl Capture {
    pub(super) fn new(rate: NonZeroU32) -> Self {
        Self {
            rate,
            samples: Samples::default(),
            resampler: Resampler::new(rate, AudioFrame::CALLER_RATE_HZ),
            pending: Vec::with_capacity(FRAME_SAMPLES),
            clock: Clock::default(),
            taken: 0,
            given: 0,
            last: None,
        }
    }

    /// Takes a message that came at `now`; gives the frames that are full, each with the capture time of
    /// its last sample.
    pub(super) fn push(&mut self, bytes: &[u8], now: Instant) -> Vec<(AudioFrame, Instant)> {
        let samples = self.samples.decode(bytes);
        self.taken += samples.len() as u64;
        let end = self.clock.end(now, length(samples.len() as u64, self.rate));
        self.resampler.push(&samples, &mut self.pending);
        let full = self.pending.len() - self.pending.len() % FRAME_SAMPLES;
        let rest = self.pending.split_off(full);
        let full = std::mem::replace(&mut self.pending, rest);
        full.chunks_exact(FRAME_SAMPLES).map(|samples| self.frame(samples, end)).collect()
    }

    fn frame(&mut self, samples: &[i16], end: Instant) -> (AudioFrame, Instant) {
        self.given += samples.len() as u64;
        let taken = length(self.taken, self.rate);
        let held_back = taken.saturating_sub(length(self.given, AudioFrame::CALLER_RATE_HZ));
        let at = end.checked_sub(held_back).unwrap_or(end);
        let at = self.last.map_or(at, |last| at.max(last));
        self.last = Some(at);
        (AudioFrame::new(samples, AudioFrame::CALLER_RATE_HZ), at)
    }
}

/// How long so many samples last.
fn length(samples: u64, rate: NonZeroU32) -> Duration {
    let rate = u64::from(rate.get());
    Duration::from_secs(samples / rate)
        + Duration::from_nanos(samples % rate * 1_000_000_000 / rate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::websocket::wire::to_bytes;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn bytes(rate: usize, length_ms: usize) -> Vec<u8> {
        to_bytes(&vec![7; rate * length_ms / 1_000])
    }

    /// Feeds messages of (time of coming, length) in ms and expects the frames' times in ms.
    fn check(rate: u32, messages: &[(u64, usize)], expected: &[u64]) {
        let mut capture = Capture::new(NonZeroU32::new(rate).unwrap());
        let start = Instant::now();
        let mut times = Vec::new();
        for &(at, length) in messages {
            let frames = capture.push(&bytes(rate as usize, length), start + ms(at));
            times.extend(frames.iter().map(|(_, at)| (*at - start).as_millis() as u64));
        }
        assert_eq!(times, expected);
    }

    #[test]
    fn a_long_message_was_captured_before_it_came() {
        check(16_000, &[(1_100, 100)], &[1_020, 1_040, 1_060, 1_080, 1_100]);
    }

    #[test]
    fn short_messages_make_whole_frames() {
        check(16_000, &[(1_010, 10), (1_020, 10), (1_030, 10), (1_040, 10)], &[1_020, 1_040]);
    }

    #[test]
    fn jitter_does_not_shift_the_sound() {
        check(
            16_000,
            &[(1_000, 20), (1_051, 20), (1_052, 20), (1_060, 20)],
            &[1_000, 1_020, 1_040, 1_060],
        );
    }

    #[test]
    fn a_pause_is_a_pause() {
        check(16_000, &[(1_000, 20), (3_000, 20), (3_020, 20)], &[1_000, 3_000, 3_020]);
    }

    #[test]
    fn sound_never_comes_before_it_was_captured() {
        check(16_000, &[(1_000, 20), (1_001, 20), (1_002, 20)], &[1_000, 1_001, 1_002]);
    }

    #[test]
    fn what_the_filter_holds_back_keeps_its_time() {
        let times: Vec<_> = (1..=5).map(|k| 1_000 + 20 * k).collect();
        let messages: Vec<_> = times.iter().map(|&at| (at, 20)).collect();
        check(48_000, &messages, &times[..4]);
    }

    #[test]
    fn a_byte_astray_does_not_end_anything() {
        let mut capture = Capture::new(NonZeroU32::new(16_000).unwrap());
        let now = Instant::now();
        assert!(capture.push(&[1], now).is_empty());
        assert!(capture.push(&[], now).is_empty());
        assert_eq!(capture.push(&bytes(16_000, 20), now).len(), 1);
    }
}
