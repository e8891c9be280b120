//! The agent worker: its protocol against a scripted server and real livekit-servers, and rooms as
//! the transport of calls.

#![expect(clippy::unwrap_used, reason = "a test ends where anything fails")]

mod ends;
mod faults;
mod mute;
mod program;
mod protocol;
mod protocol_http;
mod room;
mod room_clinic;
mod room_inputs;
mod room_stage;
mod spread;
mod texts;
mod whole;
