//! The official `livekit` crate on our `libwebrtc`, in rooms of real livekit-servers, with the
//! official Python SDK on the other end.

#![expect(clippy::unwrap_used, reason = "a test ends where anything fails")]

mod calls;
mod content;
mod data;
mod encrypted;
mod ends;
mod ice;
mod loss;
mod paths;
mod reconnect;
mod rooms;
mod spoken;
mod stage;
mod streams;
mod told;
mod tones;
mod tracks;
mod turned;
