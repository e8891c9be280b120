//! What a caller's client sends: a query, a text message, and sound in messages that are parted by
//! a record separator (0x1e). No sound is lost but what does not fill a frame, and its times never
//! run backwards.

use std::num::NonZeroU32;
use std::time::Duration;

use tokio::time::Instant;
use voicegraph_engine::transport::websocket::decode;

/// 20 ms at 16 kHz, which is the rate that is sent here, so that nothing is resampled.
const FRAME_SAMPLES: usize = 320;
const RATE: NonZeroU32 = NonZeroU32::new(16_000).unwrap();

/// Takes the bytes for what a client sends.
pub fn websocket(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        for refused in [decode::query(text), decode::text(text)].into_iter().filter_map(Result::err)
        {
            assert!(!refused.is_empty());
        }
    }
    let messages: Vec<&[u8]> = bytes.split(|byte| *byte == 0x1e).collect();
    let pauses = messages.iter().map(|message| Duration::from_millis(message.len() as u64 % 300));
    let timed = pauses.zip(messages.iter().copied());
    let frames = decode::sound(RATE, Instant::now(), timed);
    let samples: usize = messages.iter().map(|message| message.len()).sum::<usize>() / 2;
    assert_eq!(frames.len(), samples / FRAME_SAMPLES);
    assert!(frames.is_sorted_by_key(|(_, at)| *at));
}
