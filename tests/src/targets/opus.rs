//! Payloads of RTP packets, parted by a record separator (0x1e), as a stream of 20 ms each: what
//! says that it is Opus has a length that Opus has, and sound goes on whatever came.

use std::time::Duration;

use libwebrtc::fuzzing::{self, Buffer};

/// 120 ms at 48 kHz (RFC 6716, section 3.2.5).
const LONGEST: usize = 5_760;

/// Takes the bytes for payloads.
pub fn opus(bytes: &[u8]) {
    let mut buffers = [1, 2].map(Buffer::new);
    let mut sound = Vec::new();
    for (number, payload) in bytes.split(|byte| *byte == 0x1e).enumerate() {
        let (samples, restorable) = fuzzing::opus(payload);
        assert!(samples.is_none_or(|samples| (1..=LONGEST).contains(&samples)));
        assert!(restorable <= LONGEST);
        let at = Duration::from_millis(20) * number as u32;
        // Each seventh is late, and is restored from the one after it.
        let is_late = number % 7 == 3;
        for (buffer, channels) in buffers.iter_mut().zip([1, 2]) {
            if !is_late {
                buffer.push(number as u16, number as u32 * 960, payload, at);
            }
            for _ in 0..2 {
                sound.clear();
                buffer.pull(at, &mut sound);
                assert_eq!(sound.len(), 480 * channels);
            }
        }
    }
}
