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

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use voicegraph_tests::worker::Setup;

use crate::clinic::demo;

/// Sound is measured by one test at a time, and by none while calls come in a burst.
static SOUND: RwLock<()> = RwLock::const_new(());

/// Held while sound is measured, and no longer: all else runs beside one another.
async fn alone() -> RwLockWriteGuard<'static, ()> {
    SOUND.write().await
}

/// Held by a test that takes all the processors there are.
async fn noisy() -> RwLockReadGuard<'static, ()> {
    SOUND.read().await
}

/// A worker of the clinic whose callers may ask one question again and again.
fn setup<'a>(url: &'a str, agent: &'a str) -> Setup<'a> {
    Setup { script: demo(""), ..Setup::new(url, agent) }
}
