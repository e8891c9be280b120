//! One call from its transport to its end, in virtual time or at the pace of speech.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;
use voicegraph_engine::connect::Connector;
use voicegraph_engine::edge::EdgeFigures;
use voicegraph_engine::event::Observer;
use voicegraph_engine::graph::Graph;
use voicegraph_engine::metrics::Metrics;
use voicegraph_engine::runtime::{Admission, Pipeline};
use voicegraph_engine::session::{CallEnd, Limits, Session};
use voicegraph_engine::testing;
use voicegraph_engine::transport::Transport;
use voicegraph_engine::turn::TurnReport;

use crate::http;
use crate::report::Turns;

/// The seed of a single call: the same call gives the same ids and the same jitter.
const SEED: u64 = 1;

/// How fast a call runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// As fast as it goes: every provider is simulated, and the clock leaps.
    Virtual,
    /// At the pace of speech.
    Realtime,
}

/// What one call is made of.
pub(crate) struct Call {
    pub(crate) graph: Arc<Graph>,
    pub(crate) connector: Connector,
    pub(crate) transport: Transport,
    pub(crate) pace: Pace,
    pub(crate) http: Option<SocketAddr>,
}

/// What is known of a call when it is over.
pub(crate) struct Outcome {
    pub(crate) end: CallEnd,
    pub(crate) turns: Vec<TurnReport>,
    pub(crate) edges: Vec<EdgeFigures>,
}

impl Call {
    /// Runs the call. `observer` is made when the call's clock runs.
    pub(crate) fn run(
        self,
        observer: impl FnOnce() -> Option<Arc<dyn Observer>>,
    ) -> anyhow::Result<Outcome> {
        let metrics = Metrics::new();
        let pipeline = Pipeline::new(Arc::clone(&self.graph), &metrics, env!("CARGO_PKG_VERSION"));
        let edges = pipeline.meters.edges.clone();
        let admission = Admission::new(1);
        let endpoints = match self.http {
            Some(at) => Some(http::Thread::start(at, &metrics, &pipeline.graph, &admission)?),
            None => None,
        };
        let permit = admission.admit().context("no place for the call")?;
        let turns = Arc::new(Turns::default());
        let end = runtime(self.pace)?.block_on(async {
            let counted = pipeline.metrics.begin_call();
            let figures: Arc<dyn Observer> = pipeline.metrics;
            let turns: Arc<dyn Observer> = Arc::<Turns>::clone(&turns);
            let observers = [Some(figures), Some(turns), observer()];
            let session = Session {
                graph: pipeline.graph,
                meters: pipeline.meters,
                connector: self.connector,
                transport: self.transport,
                observers: observers.into_iter().flatten().collect(),
                closing: CancellationToken::new(),
                cancelled: CancellationToken::new(),
                seed: SEED,
                limits: Limits::default(),
            };
            let end = session.run().await;
            counted.end(end.reason.name());
            end
        });
        drop(permit);
        drop(endpoints);
        let edges = edges.iter().map(|meter| meter.figures()).collect();
        Ok(Outcome { end, turns: turns.reports(), edges })
    }
}

fn runtime(pace: Pace) -> anyhow::Result<Runtime> {
    match pace {
        Pace::Virtual => Ok(testing::virtual_time()),
        Pace::Realtime => {
            Builder::new_current_thread().enable_all().build().context("no runtime can be made")
        }
    }
}
