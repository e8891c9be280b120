//! `voicegraph worker` as processes on real livekit-servers, with the clinic and simulated
//! providers, many at once and where something breaks.

mod burst;
mod caller;
mod caller_returns;
mod database_down;
mod drained;
mod memory;
mod packets_lost;
mod providers_down;
mod server_lost;
mod udp_blocked;
mod wired;
mod worker_killed;

use tokio::sync::{Mutex, MutexGuard};
use voicegraph_tests::worker::Setup;

use crate::clinic::demo;

/// One of these tests at a time: each of them alone keeps two processors busy, and measures sound.
async fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::const_new(());
    TURN.lock().await
}

/// A worker of the clinic whose callers may ask one question again and again.
fn setup<'a>(url: &'a str, agent: &'a str) -> Setup<'a> {
    Setup { script: demo(""), ..Setup::new(url, agent) }
}
