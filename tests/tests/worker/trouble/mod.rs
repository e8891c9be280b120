//! The whole program: `voicegraph worker` as processes on real livekit-servers, with the clinic and
//! simulated providers, many at once and in trouble.

mod burst;
mod caller;
mod caller_returns;
mod database_down;
mod drained;
mod memory;
mod packets_lost;
mod process;
mod providers_down;
mod records;
mod server_lost;
mod udp_blocked;
mod wired;
mod worker_killed;

use tokio::sync::{Mutex, MutexGuard};

/// One of these tests at a time: each of them alone keeps two processors busy, and measures sound.
async fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::const_new(());
    TURN.lock().await
}
