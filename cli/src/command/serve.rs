//! `voicegraph serve`: calls over websockets, beside the HTTP endpoints.

use crate::args::Serve;

pub(crate) fn run(_serve: &Serve) -> anyhow::Result<()> {
    unimplemented!()
}

/// Waits for SIGTERM or ctrl-c.
pub(crate) async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).expect("a handler can be set");
    tokio::select! {
        biased;
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
