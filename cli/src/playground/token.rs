//! Tokens, as the worker makes them, and a word for "call this agent".

use livekit_protocol::RoomAgentDispatch;
pub use voicegraph_worker::protocol::token::{Guest, Keys, TokenError};

/// A job for the agent of that name; `metadata` is what the agent is told.
pub fn job(agent_name: &str, metadata: &str) -> RoomAgentDispatch {
    let (agent_name, metadata) = (agent_name.to_owned(), metadata.to_owned());
    RoomAgentDispatch { agent_name, metadata, ..Default::default() }
}
