//! The HTTP endpoints beside a single call: on a thread of their own, so that neither a paused
//! clock nor a slow reader touches the call.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio_util::sync::CancellationToken;
use voicegraph_engine::http::{self, State};
use voicegraph_engine::metrics::Metrics;
use voicegraph_engine::runtime::Runtime;

/// The endpoints, served until this is dropped.
pub(crate) struct Thread {
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Thread {
    /// Serves at `at`, and says where on standard error: port 0 takes a free one.
    pub(crate) fn start(
        at: SocketAddr,
        metrics: &Arc<Metrics>,
        runtime: &Arc<Runtime>,
    ) -> anyhow::Result<Self> {
        let server = Builder::new_current_thread().enable_all().build()?;
        let listener = server
            .block_on(TcpListener::bind(at))
            .with_context(|| format!("cannot listen at {at}"))?;
        eprintln!("voicegraph: http://{}", listener.local_addr()?);
        let router = http::router(state(metrics, runtime));
        let stop = CancellationToken::new();
        let serving = http::serve(listener, router, stop.clone());
        let thread = std::thread::Builder::new()
            .name("http".to_owned())
            .spawn(move || server.block_on(serving))
            .context("cannot start the HTTP thread")?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // A panic there was printed there; the call is not to end by it.
            let _ = thread.join();
        }
    }
}

/// What the endpoints show.
pub(crate) fn state(metrics: &Arc<Metrics>, runtime: &Arc<Runtime>) -> State {
    State {
        metrics: Arc::clone(metrics),
        runtimes: Arc::clone(runtime).into(),
        version: crate::VERSION,
    }
}
