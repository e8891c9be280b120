//! The decoders of what clients send, for fuzzing: each takes any bytes and must neither panic nor
//! hang. They say what was wrong in words.

use std::num::NonZeroU32;
use std::time::Duration;

use tokio::time::Instant;

use super::capture::Capture;
use super::query::Rates;
use super::wire;
use crate::message::AudioFrame;

/// Reads the query of a call.
///
/// # Errors
/// What the client is told.
pub fn query(query: &str) -> Result<(), String> {
    Rates::from_query(query).map(drop).map_err(|error| error.to_string())
}

/// Reads a text message.
///
/// # Errors
/// What the client is told.
pub fn text(text: &str) -> Result<(), String> {
    wire::decode(text).map(drop)
}

/// Cuts binary messages at `rate`, each with the time that passed since the one before, into
/// frames; each frame comes with the instant of its last sample.
pub fn sound<'a>(
    rate: NonZeroU32,
    start: Instant,
    messages: impl IntoIterator<Item = (Duration, &'a [u8])>,
) -> Vec<(AudioFrame, Instant)> {
    let (mut capture, mut now, mut frames) = (Capture::new(rate), start, Vec::new());
    for (pause, bytes) in messages {
        now += pause;
        frames.extend(capture.push(bytes, now));
    }
    frames
}
