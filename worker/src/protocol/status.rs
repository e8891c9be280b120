//! How a worker is at an instant: for health checks, pages and metrics.

use super::Counts;
use super::settings::MAX_FAILURES;

/// A worker's state, as it was last seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Status {
    /// By which the server knows it; `None` while it is not registered.
    pub worker_id: Option<String>,
    /// Attempts in a row that led to no lasting registration.
    pub failures: u32,
    /// Jobs that were assigned and have not ended.
    pub active_jobs: u32,
    /// Jobs that were accepted and are not assigned yet.
    pub waiting_jobs: u32,
    /// The load, 0 to 1, as the server is told.
    pub load: f32,
    /// Whether it takes no more jobs for now.
    pub full: bool,
    /// Whether it will never take another.
    pub draining: bool,
    /// What it has done.
    pub counts: Counts,
}

impl Status {
    /// Whether the server was out of reach for so long that somebody should look.
    pub fn is_lost(&self) -> bool {
        self.worker_id.is_none() && self.failures >= MAX_FAILURES
    }
}
