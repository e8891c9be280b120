//! For tests and for runs in virtual time: the paused clock, and calls as text.

mod timeline;

pub use timeline::Timeline;

/// A runtime of one thread whose clock stands still while any task can run, and leaps to the next
/// timer when none can: a ten-minute call takes milliseconds, and its latencies come out exact.
/// Everything that the call waits for must run in this runtime.
///
/// # Panics
/// Where the operating system gives no resources for a runtime.
pub fn virtual_time() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a current-thread runtime needs no more than the process has")
}
