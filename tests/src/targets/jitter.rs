//! Packets and frames in any order and at any time: a frame always has its length, what waits has
//! its limits, and each packet that was pushed is counted once.

use std::time::Duration;

use libwebrtc::fuzzing::Buffer;

/// More packets than are kept are one too many, and so is more sound than the longest packet and
/// what is read ahead of it.
const PACKETS_LIMIT: usize = 128;
const SAMPLES_LIMIT: usize = 5_760 + 2 * 480;

/// Takes the bytes for packets and the time between them.
pub fn jitter(bytes: &[u8]) {
    let Some((&first, mut rest)) = bytes.split_first() else { return };
    let channels = 1 + u32::from(first & 1);
    let mut buffer = Buffer::new(channels);
    let (mut now, mut sequence, mut timestamp) = (Duration::ZERO, 0u16, 0u32);
    let (mut frames, mut pushed, mut sound) = (0u64, 0u64, Vec::new());
    while let Some((&operation, after)) = rest.split_first() {
        rest = after;
        let number = i16::from(operation >> 2);
        match operation & 3 {
            0 => {
                sound.clear();
                buffer.pull(now, &mut sound);
                assert_eq!(sound.len(), 480 * channels as usize);
                (frames, now) = (frames + 1, now + Duration::from_millis(10));
            }
            1 => now += Duration::from_millis(1 << (number % 16)),
            2 => {
                // Small steps are a stream's, large ones anybody's.
                let step = number - 16;
                let far = if number > 56 { 97 } else { 1 };
                sequence = sequence.wrapping_add_signed(step * far);
                timestamp = timestamp.wrapping_add_signed(i32::from(step * far) * 960);
            }
            _ => {
                let length = (number as usize).min(rest.len());
                let (payload, after) = rest.split_at(length);
                rest = after;
                buffer.push(sequence, timestamp, payload, now);
                (sequence, timestamp) = (sequence.wrapping_add(1), timestamp.wrapping_add(960));
                pushed += 1;
            }
        }
        let (packets, samples) = buffer.waiting();
        assert!(packets <= PACKETS_LIMIT && samples <= SAMPLES_LIMIT, "{packets} {samples}");
        let [received, duplicates, discarded, invalid, played] = buffer.counts();
        assert_eq!(played, frames * 480);
        assert!(received <= pushed && duplicates <= pushed && discarded <= pushed);
        assert!(invalid <= 2 * pushed);
    }
}
