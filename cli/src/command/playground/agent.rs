//! The agent: a worker in this process that takes the page's calls.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use voicegraph_engine::connect::Connector;
use voicegraph_engine::graph::Graph;
use voicegraph_engine::http::{self, State};
use voicegraph_engine::metrics::Metrics;
use voicegraph_engine::runtime::{Admission, Pipeline, Runtime, Runtimes};
use voicegraph_engine::session::Limits;
use voicegraph_playground::token::Keys;
use voicegraph_worker::protocol::{Goodbye, Server, Settings, Steady, Worker};
use voicegraph_worker::{agent, room};

use crate::{clock, seed};

/// Calls at once: the page in a few windows.
const MAX_SESSIONS: u32 = 8;

/// How long the worker may take until the server knows it.
const REGISTER_LIMIT: Duration = Duration::from_secs(15);

/// How long calls in progress may go on once the playground is to end.
const DRAIN_LIMIT: Duration = Duration::from_secs(2);

/// A worker that the server knows.
pub(super) struct Agent {
    /// `/edges`, `/turns`, `/graph` and the engine's others.
    pub(super) figures: Router,
    drain: CancellationToken,
    end: CancellationToken,
    working: JoinHandle<Goodbye>,
}

impl Agent {
    /// Starts a worker of the server at `url`, called `name`, and waits until it is registered: a
    /// job that comes before is lost.
    pub(super) async fn start(
        name: &str,
        url: &str,
        keys: Keys,
        graph: Arc<Graph>,
        connector: Connector,
    ) -> anyhow::Result<Self> {
        let server = Server::parse(url).with_context(|| format!("{url:?} is no address"))?;
        let mut settings = Settings::new(server, keys);
        settings.agent_name = name.to_owned();
        settings.seed = seed::from_system();
        // It is not one of many: the page's calls are for it, however busy the machine is.
        settings.load_threshold = f32::INFINITY;
        let (runtimes, figures) = runtimes(graph, connector.clone());
        let answer = Arc::new(agent::Agent::new(name, runtimes, room::Settings::default()));
        let worker = Worker::new(settings, connector, answer, Box::new(Steady(0.0)));
        let mut status = worker.status();
        let (drain, end) = (CancellationToken::new(), CancellationToken::new());
        let working = tokio::spawn(worker.run(drain.clone(), end.clone(), DRAIN_LIMIT));
        let agent = Self { figures, drain, end, working };
        let known = status.wait_for(|status| status.worker_id.is_some());
        match timeout(REGISTER_LIMIT, known).await {
            Ok(known) => known.map(drop).context("the worker ended")?,
            Err(_) => anyhow::bail!(
                "the server at {url} does not take the worker within {REGISTER_LIMIT:?}: is it a \
                 LiveKit server, and are LIVEKIT_API_KEY and LIVEKIT_API_SECRET its own?"
            ),
        }
        Ok(agent)
    }

    /// Lets the calls in progress end.
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        self.drain.cancel();
        self.working.await.map(drop).context("the worker panicked")
    }

    /// Ends at once with all calls, when the future of [`stop`](Self::stop) is under way.
    pub(super) fn hurry(&self) -> CancellationToken {
        self.end.clone()
    }
}

fn runtimes(graph: Arc<Graph>, connector: Connector) -> (Runtimes, Router) {
    let metrics = Arc::new(Metrics::new());
    let version = env!("CARGO_PKG_VERSION");
    let pipeline = Pipeline::new(graph, &metrics, version);
    let places = Arc::new(Admission::new(MAX_SESSIONS));
    let (limits, seed) = (Limits::default(), seed::from_system());
    let runtime = Runtime::new(pipeline, connector, clock::now, places, limits, seed);
    let runtimes = Runtimes::from(Arc::new(runtime));
    let figures = http::router(State { metrics, runtimes: runtimes.clone(), version });
    (runtimes, figures)
}
