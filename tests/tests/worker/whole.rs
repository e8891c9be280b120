//! The whole program: `voicegraph worker` as processes on real livekit-servers, with the clinic and
//! simulated providers, many at once and in trouble.

mod blocked;
mod burst;
mod database;
mod drained;
mod held;
mod killed;
mod lossy;
mod process;
mod providers;
mod reached;
mod records;
mod returned;
mod site;
mod talk;

use tokio::sync::{Mutex, MutexGuard};

/// One of these tests at a time: each of them alone keeps two processors busy, and measures sound.
async fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::const_new(());
    TURN.lock().await
}
