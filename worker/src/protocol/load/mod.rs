//! How busy the machine is, as LiveKit's dispatch understands it: the fraction of the CPU that this
//! process may use, 0 to 1.
//!
//! Samples come from [`Load`]; what is told is the mean of the last five ([`Mean`]).

mod cpu;
mod mean;

use tokio::time::Instant;

pub use cpu::Cpu;
pub use mean::Mean;

/// Measures the load.
pub trait Load: Send {
    /// The load since the last sample, 0 to 1; `None` where nothing could be measured, as at the
    /// first time. Must not block for long: it is asked each half second.
    fn sample(&mut self, now: Instant) -> Option<f32>;
}

/// A load that never changes, for machines whose CPU says nothing about them, and for tests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Steady(pub f32);

impl Load for Steady {
    fn sample(&mut self, _now: Instant) -> Option<f32> {
        Some(self.0)
    }
}
