//! `mic`: what the caller says, types and presses, from whatever transport carries the call.
//!
//! Out: `audio`, 20 ms of mono sound at 16 kHz, of the session, with the capture of its last sample
//! as origin; `input` (optional), what the caller typed or pressed, with that instant as origin.
//! Both end when the caller's audio ends or the call is closing, and then the call drains.
//! Resampling and framing are the transport's matter. Where the graph has no edge from `input`, the
//! first that comes is told as a fault.

mod node;

pub use node::{Mic, Options};
