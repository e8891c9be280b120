//! Holds virtual time while something outside of it is waited for.
//!
//! A paused clock leaps to the next timer as soon as no task can run. A database works in another
//! thread or process, which the clock does not see: the leap would end every wait for it at once.

use std::sync::mpsc::{SyncSender, sync_channel};

/// Virtual time stands still until this is dropped.
#[derive(Debug)]
#[must_use = "time goes on when this is dropped"]
pub struct Hold {
    _release: SyncSender<()>,
}

impl Hold {
    /// Begins to hold. The runtime does not leap while a blocking task runs, so one runs for as
    /// long as this lives.
    pub(super) fn begin() -> Self {
        let (release, released) = sync_channel(0);
        drop(tokio::task::spawn_blocking(move || {
            // Nothing is ever sent: it ends when the sender is dropped.
            let _: Result<(), _> = released.recv();
        }));
        Self { _release: release }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::oneshot;
    use tokio::time::{Instant, timeout};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_wait_for_another_thread_takes_no_virtual_time() {
        let began = Instant::now();
        let hold = Hold::begin();
        let (done, finished) = oneshot::channel();
        let (go, gone) = sync_channel::<()>(0);
        let worker = std::thread::spawn(move || {
            let _ = gone.recv_timeout(Duration::from_millis(50));
            let _ = done.send(());
        });
        timeout(Duration::from_secs(1), finished).await.expect("no timer fires").unwrap();
        assert_eq!(began.elapsed(), Duration::ZERO);
        drop((hold, go));
        worker.join().unwrap();
    }
}
