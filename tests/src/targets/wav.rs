//! A WAV file, as `run --input` takes it: any bytes are a voice of bounded length, or refused with
//! words.

use std::path::Path;

use voicegraph_engine::transport::{LONGEST_FILE, decode_voice};

const RATE_HZ: u64 = 16_000;

/// Takes the bytes for a file.
pub fn wav(bytes: &[u8]) {
    match decode_voice(bytes, Path::new("in.wav")) {
        Ok(voice) => assert!(voice.len() as u64 <= (LONGEST_FILE.as_secs() + 1) * RATE_HZ),
        Err(error) => assert!(error.to_string().contains("in.wav")),
    }
}
