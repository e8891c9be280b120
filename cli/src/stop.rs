//! How a process that serves is told to stop.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM and ctrl-c. A signal that comes while nobody waits is not lost.
pub(crate) struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    /// Takes the signals from now on; before, they end the process at once.
    pub(crate) fn listen() -> Self {
        let handler = |kind| signal(kind).expect("a handler can be set");
        Self {
            terminate: handler(SignalKind::terminate()),
            interrupt: handler(SignalKind::interrupt()),
        }
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
