//! `voicegraph worker`: calls in LiveKit rooms, as a server hands them out.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use voicegraph_engine::connect::Connector;
use voicegraph_engine::graph::Graph;
use voicegraph_engine::http::{self, State};
use voicegraph_engine::metrics::Metrics;
use voicegraph_engine::runtime::{Admission, Pipeline, Runtime, Runtimes};
use voicegraph_engine::session::Limits;
use voicegraph_worker::agent::Agent;
use voicegraph_worker::protocol::{self, Cpu, Goodbye, Server, Settings, Worker};
use voicegraph_worker::room;

use crate::args;
use crate::stop::StopSignals;
use crate::{clock, pipeline, seed, simulators};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Works until it is told to stop, then lets the calls in progress end; told twice, it ends at once
/// with exit code 1.
#[tokio::main]
pub(crate) async fn run(arguments: &args::Worker) -> anyhow::Result<()> {
    let mut stop_signals = StopSignals::listen();
    let settings = settings(arguments)?;
    let graphs = tokio::select! {
        biased;
        () = stop_signals.next() => {
            eprintln!("voicegraph: told to end before the first call");
            return Ok(());
        }
        graphs = connect(arguments) => graphs?,
    };
    let connector = simulators::connector(simulators::script(&arguments.script)?);
    let metrics = Arc::new(Metrics::new());
    let runtimes = runtimes(graphs, &metrics, &connector, arguments.max_sessions)?;
    let name = arguments.agent_name.clone();
    let agent = Agent::new(name, runtimes.clone(), room::Settings::default());
    let load = Box::new(Cpu::new(arguments.num_cpus));
    let http = protocol::http::State::new;
    let worker = Worker::new(settings.clone(), connector, Arc::new(agent), load);
    let state = http(&settings, worker.status());
    let stop = CancellationToken::new();
    let router = router(&metrics, &runtimes, state);
    let listener = TcpListener::bind(arguments.listen)
        .await
        .with_context(|| format!("cannot listen at {}", arguments.listen))?;
    let at = listener.local_addr().context("the listener has no address")?;
    eprintln!("voicegraph: figures at http://{at}, jobs from {}", settings.server.url());
    let serving = tokio::spawn(http::serve(listener, router, stop.clone()));
    let drain_limit = Duration::from_secs(arguments.drain_seconds);
    let goodbye = work(worker, &runtimes, &mut stop_signals, drain_limit).await;
    stop.cancel();
    serving.await.context("the server panicked")?;
    goodbye
}

/// Works to the end that the signals ask for.
async fn work(
    worker: Worker,
    runtimes: &Runtimes,
    stop_signals: &mut StopSignals,
    drain_limit: Duration,
) -> anyhow::Result<()> {
    let (drain, end) = (CancellationToken::new(), CancellationToken::new());
    let working = worker.run(drain.clone(), end.clone(), drain_limit);
    tokio::pin!(working);
    tokio::select! {
        biased;
        () = stop_signals.next() => {}
        goodbye = &mut working => return say(goodbye),
    }
    runtimes.admission().close();
    drain.cancel();
    eprintln!("voicegraph: no more calls; those in progress may end");
    tokio::select! {
        biased;
        () = stop_signals.next() => end.cancel(),
        goodbye = &mut working => return say(goodbye),
    }
    say(working.await)?;
    anyhow::bail!("told twice, ended at once")
}

fn say(goodbye: Goodbye) -> anyhow::Result<()> {
    let Goodbye { finished, failed, cut, untold } = goodbye;
    eprintln!("voicegraph: goodbye: {finished} calls ended well, {failed} failed, {cut} were cut");
    if untold > 0 {
        eprintln!("voicegraph: the server was not told of the end of {untold}");
    }
    Ok(())
}

fn settings(arguments: &args::Worker) -> anyhow::Result<Settings> {
    let server = Server::parse(&arguments.url)?;
    let settings = Settings::new(server, arguments.keys.keys());
    Ok(Settings {
        agent_name: arguments.agent_name.clone(),
        deployment: arguments.deployment.clone(),
        version: VERSION.to_owned(),
        worker_token: arguments.worker_token.clone(),
        load_threshold: arguments.load_threshold,
        seed: seed::from_system(),
        ..settings
    })
}

async fn connect(arguments: &args::Worker) -> anyhow::Result<Vec<Arc<Graph>>> {
    let mut graphs = Vec::new();
    for pipeline in arguments.each() {
        graphs.push(pipeline::connect(&pipeline).await?);
    }
    Ok(graphs)
}

fn runtimes(
    graphs: Vec<Arc<Graph>>,
    metrics: &Metrics,
    connector: &Connector,
    max_sessions: u32,
) -> anyhow::Result<Runtimes> {
    let places = Arc::new(Admission::new(max_sessions));
    let mut all = graphs.into_iter().map(|graph| {
        let pipeline = Pipeline::new(graph, metrics, VERSION);
        let (connector, places) = (connector.clone(), Arc::clone(&places));
        let seed = seed::from_system();
        Arc::new(Runtime::new(pipeline, connector, clock::now, places, Limits::default(), seed))
    });
    let first = all.next().context("no pipeline was named")?;
    Ok(Runtimes::new(first, all)?)
}

fn router(metrics: &Arc<Metrics>, runtimes: &Runtimes, worker: protocol::http::State) -> Router {
    let (figures, runtimes) = (Arc::clone(metrics), runtimes.clone());
    let engine = http::router(State { metrics: figures, runtimes, version: VERSION });
    protocol::http::over(engine, worker, Arc::clone(metrics))
}
