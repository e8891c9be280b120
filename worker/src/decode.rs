//! The readers of what comes from servers and rooms, for fuzzing: each takes any bytes and must
//! neither panic nor hang. They say what was wrong in words that repeat nothing of it.

use livekit_protocol::server_message::Message;
use voicegraph_engine::message::{BadInput, UserInput};
use voicegraph_engine::variables::Declarations;

use crate::agent::dispatch::Dispatch;
use crate::protocol::socket::{self, Frame};
use crate::room::{inputs, recording};

/// Reads a binary frame of a server; `None` where it is no known message.
pub fn frame(bytes: &[u8]) -> Option<Message> {
    match socket::decode(bytes) {
        Frame::Message(message) => Some(*message),
        Frame::Undecodable(_) => None,
    }
}

/// Reads a job's metadata, for a pipeline that declares these variables.
///
/// # Errors
/// What is wrong with it.
pub fn dispatch(metadata: &str, declared: &Declarations) -> Result<(), String> {
    let read = Dispatch::read(metadata).and_then(|dispatch| dispatch.check(declared));
    read.map_err(|error| error.to_string())
}

/// Reads the recording of a caller from before the agent came; gives how many samples of it are
/// heard.
///
/// # Errors
/// Why it is not heard.
pub fn recording(
    bytes: &[u8],
    mime_type: &str,
    rate_hz: u32,
    channels: u32,
) -> Result<usize, String> {
    let form = recording::Form { rate_hz, channels };
    let samples = recording::decode(bytes, mime_type, form);
    samples.map(|samples| samples.len()).map_err(|error| error.to_string())
}

/// Reads a key of the telephone.
///
/// # Errors
/// Where it is none.
pub fn key(code: u32, digit: Option<&str>) -> Result<UserInput, BadInput> {
    inputs::key(code, digit)
}
