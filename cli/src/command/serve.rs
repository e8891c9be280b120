//! `voicegraph serve`: calls over websockets, many at once, beside the HTTP endpoints.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use futures_util::FutureExt;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use voicegraph_engine::http::{self, State};
use voicegraph_engine::metrics::Metrics;
use voicegraph_engine::runtime::{Pipeline, Refused, Runtime};
use voicegraph_engine::session::Limits;
use voicegraph_engine::transport::Transport;
use voicegraph_engine::transport::websocket::{self, Answer, Busy, End, Place, Settings};

use crate::args::Serve;
use crate::{pipeline, seed, simulators};

/// When a client that found no place may try again.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Serves until it is told to stop, then lets the calls in progress end.
#[tokio::main]
pub(crate) async fn run(arguments: &Serve) -> anyhow::Result<()> {
    let graph = pipeline::compile(&arguments.pipeline)?;
    let connector = simulators::connector(simulators::script(&arguments.script)?);
    let metrics = Arc::new(Metrics::new());
    let pipeline = Pipeline::new(graph, &metrics, env!("CARGO_PKG_VERSION"));
    let (places, limits) = (arguments.max_sessions, Limits::default());
    let runtime = Arc::new(Runtime::new(pipeline, connector, places, limits, seed::from_system()));
    let listener = TcpListener::bind(arguments.listen)
        .await
        .with_context(|| format!("cannot listen at {}", arguments.listen))?;
    let at = listener.local_addr().context("the listener has no address")?;
    eprintln!("voicegraph: calls at ws://{at}/call, figures at http://{at}");
    let stop = CancellationToken::new();
    let router = router(metrics, &runtime);
    let serving = tokio::spawn(http::serve(listener, router, stop.clone()));
    stop_signal().await;
    eprintln!("voicegraph: no more calls; those in progress may end");
    tokio::select! {
        biased;
        () = stop_signal() => eprintln!("voicegraph: told twice, ending at once"),
        () = runtime.drain(Duration::from_secs(arguments.drain_seconds)) => {}
    }
    stop.cancel();
    serving.await.context("the server panicked")
}

fn router(metrics: Arc<Metrics>, runtime: &Arc<Runtime>) -> Router {
    let calls = Arc::new(Calls(Arc::clone(runtime)));
    let state = State { metrics, runtime: Arc::clone(runtime), version: env!("CARGO_PKG_VERSION") };
    http::router(state).route("/call", websocket::route(calls, Settings::default()))
}

/// Answers calls with the runtime.
struct Calls(Arc<Runtime>);

impl Answer for Calls {
    fn admit(&self) -> Result<Place, Busy> {
        let permit = self.0.admit().map_err(|refused: Refused| Busy {
            reason: refused.to_string(),
            retry_after: RETRY_AFTER,
        })?;
        let runtime = Arc::clone(&self.0);
        Ok(Box::new(move |transport: Transport| {
            async move {
                let end = runtime.call(permit, transport, Vec::new()).await;
                let message = (!end.reason.is_ok()).then(|| end.reason.to_string());
                End { reason: end.reason.name().to_owned(), message }
            }
            .boxed()
        }))
    }
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
