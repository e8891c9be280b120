//! One call from its transport to its end, in virtual time or at the pace of speech.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::Context;
use tokio::runtime::Builder;
use voicegraph_engine::connect::Connector;
use voicegraph_engine::edge::EdgeFigures;
use voicegraph_engine::event::Observer;
use voicegraph_engine::graph::Graph;
use voicegraph_engine::metrics::Metrics;
use voicegraph_engine::runtime::{Admission, Pipeline, Runtime};
use voicegraph_engine::session::{CallEnd, Limits};
use voicegraph_engine::testing;
use voicegraph_engine::transport::Transport;

use crate::conversation::Conversation;
use crate::http;
use crate::report::{Timed, Turns};

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
    /// When it begins, by the wall clock.
    pub(crate) started_at: SystemTime,
    /// Where its ids and its jitter come from.
    pub(crate) seed: u64,
    pub(crate) pace: Pace,
    pub(crate) http: Option<SocketAddr>,
}

/// What is known of a call when it is over.
pub(crate) struct Outcome {
    pub(crate) end: CallEnd,
    pub(crate) turns: Vec<Timed>,
    pub(crate) edges: Vec<EdgeFigures>,
}

impl Call {
    /// Runs the call and prints its conversation.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let metrics = Arc::new(Metrics::new());
        let pipeline = Pipeline::new(self.graph, &metrics, crate::VERSION);
        let figures = Arc::clone(&pipeline.metrics);
        let connector = match self.pace {
            Pace::Virtual => self.connector.in_virtual_time(),
            Pace::Realtime => self.connector,
        };
        let (clock, one) = (move || self.started_at, Arc::new(Admission::new(1)));
        let runtime = Runtime::new(pipeline, connector, clock, one, Limits::default(), self.seed);
        let runtime = Arc::new(runtime);
        let endpoints =
            self.http.map(|at| http::Thread::start(at, &metrics, &runtime)).transpose()?;
        let permit = runtime.admit().context("there is no place for the call")?;
        let (end, turns) = tokio_runtime(self.pace)?.block_on(async {
            let (conversation, turns) = (Arc::new(Conversation::new()), Arc::new(Turns::new()));
            let observers: Vec<Arc<dyn Observer>> = vec![conversation, Arc::clone(&turns) as _];
            (runtime.call(permit, self.transport, observers).await, turns.ended())
        });
        drop(endpoints);
        Ok(Outcome { end, turns, edges: figures.edges() })
    }
}

fn tokio_runtime(pace: Pace) -> anyhow::Result<tokio::runtime::Runtime> {
    match pace {
        Pace::Virtual => Ok(testing::virtual_time()),
        Pace::Realtime => {
            Builder::new_current_thread().enable_all().build().context("no runtime can be made")
        }
    }
}
