//! The agent worker: rooms of real livekit-servers as the transport of calls.

#![expect(clippy::unwrap_used, reason = "a test ends where anything fails")]

mod ends;
mod room;
mod room_clinic;
mod room_inputs;
mod room_stage;
mod texts;
