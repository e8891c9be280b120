//! What a client recorded before the agent came: a byte for the channels, two for the rate, one for
//! the type, then sound. It is read whole, of it the last six seconds are kept, or it is refused.

use voicegraph_worker::decode;

/// What is kept at most, in samples.
const KEPT: usize = 6 * 16_000;

/// Takes the bytes for a recording.
pub fn recording(bytes: &[u8]) {
    let [channels, low, high, kind, sound @ ..] = bytes else { return };
    let rate_hz = u32::from(u16::from_le_bytes([*low, *high]));
    let mime_type = ["", "audio/pcm", "audio/ogg", "audio/webm;codecs=opus"][usize::from(kind % 4)];
    match decode::recording(sound, mime_type, rate_hz, u32::from(*channels)) {
        Ok(samples) => {
            assert!(samples <= KEPT && (8_000..=48_000).contains(&rate_hz));
            assert!(samples <= sound.len() / 2 * 2 + 1, "at most twice the rate comes out");
        }
        Err(refused) => assert!(!refused.is_empty()),
    }
}
