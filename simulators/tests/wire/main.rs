//! The simulators as clients meet them: whole connections over an in-memory pipe, under a paused
//! clock, with every instant checked exactly.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod cartesia;
mod client;
mod deepgram;
mod demo;
mod faults;
mod listen;
mod openai;
