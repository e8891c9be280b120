//! The decoders of what clients send, for fuzzing: each takes any bytes and must neither panic nor
//! hang. They say what was wrong in words.

use crate::{cartesia, deepgram, openai};

/// Reads the query of Deepgram's `/v1/listen`.
pub fn deepgram_query(query: &str) -> Result<(), String> {
    deepgram::decode_query(query).map(drop).map_err(|error| error.to_string())
}

/// Reads a text message to Deepgram.
pub fn deepgram_command(text: &str) -> Result<(), String> {
    deepgram::decode_command(text).map(drop).map_err(|error| error.to_string())
}

/// Reads the body of a chat completion.
pub fn openai_request(body: &[u8]) -> Result<(), String> {
    openai::decode_request(body).map(drop).map_err(|refusal| refusal.message)
}

/// Reads a text message to Cartesia.
pub fn cartesia_request(text: &str) -> Result<(), String> {
    cartesia::decode_request(text).map(drop).map_err(|(_, problem)| problem.message)
}
