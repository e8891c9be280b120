//! The playground's page in a real Chromium, in rooms of a real livekit-server.
//!
//! Chromium's microphone plays a WAV. The agent in the room is a guest that does by script what an
//! agent does, so that what the page must show is known to the letter; the figures beside it are of
//! a call of the clinic that runs at the same time. `page.mjs` drives the page and reports.
//! `one_command` has the real thing instead: all that `voicegraph playground` starts.

#![expect(clippy::unwrap_used, reason = "a test ends where anything fails")]

mod agent;
mod commands;
mod figures;
mod local_server;
mod one_command;
mod talk;
