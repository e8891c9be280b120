//! What the pool counts.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;

/// The longest acquire time that is told apart: the longest that an option allows.
const MAX_ACQUIRE_US: u64 = 60_000_000;

/// A pool at one instant.
#[derive(Clone, Debug)]
pub struct Figures {
    /// Connections that are open or about to be: in use and idle.
    pub size: usize,
    /// Connections on loan, those included that are being opened or pinged for somebody.
    pub in_use: usize,
    /// Connections that wait for somebody.
    pub idle: usize,
    /// Connections above the number that is kept.
    pub overflow: usize,
    /// Who waits now because all connections are in use.
    pub waiting: usize,
    /// How often a connection was had, so far.
    pub acquired: u64,
    /// How often none was had in time, so far.
    pub timeouts: u64,
    /// How many idle connections were found dead, so far.
    pub replaced: u64,
    /// Time from asking to having, in µs.
    pub acquire_us: Histogram<u64>,
}

/// What is counted as it happens.
#[derive(Debug)]
pub(super) struct Counters {
    waiting: AtomicUsize,
    timeouts: AtomicU64,
    replaced: AtomicU64,
    acquire_us: Mutex<Histogram<u64>>,
}

impl Default for Counters {
    fn default() -> Self {
        let histogram = Histogram::new_with_bounds(1, MAX_ACQUIRE_US, 2).expect("1 < 2 · 1 ≤ max");
        Self {
            waiting: AtomicUsize::new(0),
            timeouts: AtomicU64::new(0),
            replaced: AtomicU64::new(0),
            acquire_us: Mutex::new(histogram),
        }
    }
}

/// A place in the queue of those who wait; dropping it leaves the queue.
pub(super) struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Counters {
    /// Counts one who waits.
    pub(super) fn queue(&self) -> Place<'_> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Place(&self.waiting)
    }

    /// Counts a connection that was had after `wait`.
    pub(super) fn acquired(&self, wait: Duration) {
        let wait_us = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
        self.histogram(|histogram| histogram.saturating_record(wait_us));
    }

    /// Counts one who had none in time.
    pub(super) fn timed_out(&self) {
        self.timeouts.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an idle connection that was dead.
    pub(super) fn replaced(&self) {
        self.replaced.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn figures(&self, in_use: usize, idle: usize, max_kept: usize) -> Figures {
        let acquire_us = self.histogram(|histogram| histogram.clone());
        let size = in_use + idle;
        Figures {
            size,
            in_use,
            idle,
            overflow: size.saturating_sub(max_kept),
            waiting: self.waiting.load(Ordering::Relaxed),
            acquired: acquire_us.len(),
            timeouts: self.timeouts.load(Ordering::Relaxed),
            replaced: self.replaced.load(Ordering::Relaxed),
            acquire_us,
        }
    }

    fn histogram<T>(&self, then: impl FnOnce(&mut Histogram<u64>) -> T) -> T {
        then(&mut self.acquire_us.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
