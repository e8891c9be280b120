//! The jitter buffer: RTP packets of Opus come in as the network brings them, frames of 10 ms go
//! out as the consumer asks.
//!
//! ```text
//!  push ─► sequence (wraps, restarts, duplicates) ─► packets (in order, bounded)
//!              └─► delay (how late packets are: the target)      │
//!  pull ◄── correct (drift) ◄── queue ◄── timeline (what is played next) ◄─ Opus
//! ```
//!
//! A sample is played `target` after the moment at which it could have been at the earliest, which
//! the fastest packets of the last seconds tell. Nothing stretches time while that holds. Where it
//! does not (the target has moved, or the clocks drift), a pause is shortened or lengthened, and
//! where none comes, the sound runs faster or slower by a few cents until it holds again.
//!
//! Concealment, redundancy and comfort noise are the decoder's; when to use which is decided here.

mod buffer;
mod correct;
mod delay;
mod fade;
mod intake;
mod packets;
mod sequence;
mod stats;
mod timeline;

pub(crate) use buffer::{Arrival, JitterBuffer};
pub(crate) use stats::Stats;

#[cfg(test)]
mod tests;
