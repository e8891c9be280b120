//! `vad`: hears when the caller begins and ceases to speak.
//!
//! ```text
//!   frames of 20 ms ──blocks──> 16 ms ──earshot──> probability ──state──> Started, Ended
//! ```
//!
//! In: `audio`, mono at 16 kHz. Out: `speech`, of the session, dated by the capture of the sound
//! rather than by the moment of detection. The detector is the `earshot` crate: pure Rust, its
//! weights compiled in, about 8 KiB of state for each call. A block costs 6 to 8 µs (release build,
//! one core of a 2-core cloud machine), so a call costs about 0.05 % of a core.

mod blocks;
mod config;
mod node;
mod state;
#[cfg(test)]
mod tests;

pub use config::{Options, Settings};
pub use node::Vad;
