//! `voicegraph serve`: calls over websockets, many at once, beside the HTTP endpoints.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use voicegraph_engine::http::{self, Calls, State};
use voicegraph_engine::metrics::Metrics;
use voicegraph_engine::transport::websocket::{self, Origins, Settings};

use crate::args::Serve;
use crate::stop::StopSignals;
use crate::{VERSION, pipeline, runtimes, simulators, variables};

/// Serves until it is told to stop, then lets the calls in progress end.
#[tokio::main]
pub(crate) async fn run(arguments: &Serve) -> anyhow::Result<()> {
    let mut stop_signals = StopSignals::listen();
    let graph = tokio::select! {
        biased;
        () = stop_signals.next() => {
            eprintln!("voicegraph: told to end before the first call");
            return Ok(());
        }
        graph = pipeline::connect(&arguments.pipeline) => graph?,
    };
    let variables = variables::read(graph.variables(), &arguments.variables)?;
    let connector = simulators::connector(simulators::script(&arguments.script)?);
    let metrics = Arc::new(Metrics::new());
    let runtimes = runtimes::start([graph], &metrics, &connector, arguments.max_sessions)?;
    let runtime = Arc::clone(runtimes.default_one());
    let listener = TcpListener::bind(arguments.listen)
        .await
        .with_context(|| format!("cannot listen at {}", arguments.listen))?;
    let at = listener.local_addr().context("the listener has no address")?;
    eprintln!("voicegraph: calls at ws://{at}/call, figures at http://{at}");
    let stop = CancellationToken::new();
    let origins = Origins::own_and(arguments.allow_origin.clone());
    let calls = Calls { runtime: Arc::clone(&runtime), variables };
    let router = router(metrics, calls, origins);
    let serving = tokio::spawn(http::serve(listener, router, stop.clone()));
    stop_signals.next().await;
    runtime.admission().close();
    eprintln!("voicegraph: no more calls; those in progress may end");
    tokio::select! {
        biased;
        () = stop_signals.next() => eprintln!("voicegraph: told twice, ending at once"),
        () = runtime.drain(Duration::from_secs(arguments.drain_seconds)) => {}
    }
    stop.cancel();
    serving.await.context("the server panicked")
}

fn router(metrics: Arc<Metrics>, calls: Calls, origins: Origins) -> Router {
    let runtimes = Arc::clone(&calls.runtime).into();
    let state = State { metrics, runtimes, version: VERSION };
    let route = websocket::route(Arc::new(calls), Settings::default(), origins);
    http::router(state).route("/call", route)
}
