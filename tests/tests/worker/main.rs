//! The agent worker: its protocol against a scripted server and real livekit-servers.

#![expect(clippy::unwrap_used, reason = "a test ends where anything fails")]

mod faults;
mod protocol;
mod protocol_http;
mod spread;
