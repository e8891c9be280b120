//! One call: wired, started, supervised, drained.
//!
//! ```text
//!   wire: a queue per edge, ports per node ──> spawn: a task per node ──> supervise
//!     source ends ─────────────> outputs close, each stage finishes what it has and closes its own
//!     a node fails or panics ──> the call ends with that reason, and no other call notices
//!     drain takes too long ────> the call's token fires, every stage stops at once
//!   ──> record: each node may keep what is known of the call
//! ```

mod record;
mod supervise;
#[cfg(test)]
mod tests;
mod wire;

pub use crate::call::{CallEnd, EndReason};
pub use supervise::{Limits, Session};
pub use wire::Meters;
