//! Edges: bounded queues with one sender and one consumer, which measure themselves.
//!
//! ```text
//!              ┌────────────── Edge ───────────────┐
//!   Output ──> │ stale? full? ──> queue ──> stale? │ ──> Input
//!              └──── counts, queue µs, age µs ─────┘
//! ```
//!
//! An [`Output`] feeds every edge of its port, an [`Input`] reads every edge of its own. A message
//! of an interrupted turn is dropped and counted, at the sender's end and at the receiver's; a
//! sender that waits for room is woken by the interruption and by the end of the call.

mod input;
mod limit;
mod meter;
mod output;
mod queue;
#[cfg(test)]
mod tests;

pub use input::Input;
pub use limit::{Limit, Overflow};
pub use meter::{Counts, DropReason, EdgeFigures, EdgeMeter};
pub(crate) use meter::{histogram, micros};
pub use output::{Output, SendError};
pub use queue::edge;
