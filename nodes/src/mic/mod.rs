//! `mic`: the caller's audio, from whatever transport carries the call.
//!
//! Out: `audio`, 20 ms of mono sound at 16 kHz, of the session, with the capture of its last sample
//! as origin. It ends when the caller's audio ends or the call is closing, and then the call
//! drains. Resampling and framing are the transport's matter.

mod node;

pub use node::{Mic, Options};
