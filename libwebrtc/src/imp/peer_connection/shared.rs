//! What a connection's users and its task share.

use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::core::Core;
use super::notice::Callbacks;

/// A connection, as its users and its task hold it.
pub(crate) struct Shared {
    pub(super) core: Mutex<Core>,
    /// Tells the task that there is something to send, to tell or to gather.
    pub(super) wake: Arc<Notify>,
    pub(super) callbacks: Callbacks,
}

impl Shared {
    pub(super) fn new(snap: bool) -> Arc<Self> {
        let wake = Arc::new(Notify::new());
        Arc::new(Self {
            core: Mutex::new(Core::new(snap, wake.clone(), now())),
            wake,
            callbacks: Callbacks::default(),
        })
    }

    /// Changes the core, takes what follows from that out of str0m, and wakes the task.
    pub(crate) fn with<T>(&self, change: impl FnOnce(&mut Core, Instant) -> T) -> T {
        let now = now();
        let mut core = self.core.lock();
        let result = change(&mut core, now);
        if !core.is_closed() {
            core.drain(now);
        }
        drop(core);
        self.wake.notify_one();
        result
    }

    /// Has `read` see the core under its lock, or change what str0m need not know.
    pub(crate) fn lock<T>(&self, read: impl FnOnce(&mut Core) -> T) -> T {
        read(&mut self.core.lock())
    }

    pub(super) fn close(&self) {
        self.with(|core, now| core.close(now));
    }
}

/// The time by tokio's clock, which tests may stop.
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
