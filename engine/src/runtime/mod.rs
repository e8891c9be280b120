//! Many calls in one process: admission, a new graph for new calls, drain.

mod admission;
mod several;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio_util::sync::CancellationToken;

pub use admission::{Admission, Permit, Refused};
pub use several::{RepeatedName, Runtimes};

use crate::connect::Connector;
use crate::event::Observer;
use crate::graph::Graph;
use crate::metrics::{Metrics, PipelineMetrics};
use crate::resource::Resources;
use crate::session::{CallEnd, Limits, Meters, Session};
use crate::transport::Transport;

/// Runs calls of one pipeline.
pub struct Runtime {
    connector: Connector,
    clock: Box<dyn Fn() -> SystemTime + Send + Sync>,
    limits: Limits,
    admission: Arc<Admission>,
    current: Mutex<Current>,
    closing: CancellationToken,
    cancelled: CancellationToken,
}

struct Current {
    pipeline: Pipeline,
    seeds: StdRng,
}

/// A graph and the figures of its calls.
#[derive(Clone)]
pub struct Pipeline {
    /// The graph.
    pub graph: Arc<Graph>,
    /// The meters of its nodes and edges.
    pub meters: Meters,
    /// What its calls share.
    pub resources: Resources,
    /// Its figures in the process.
    pub metrics: Arc<PipelineMetrics>,
}

impl Pipeline {
    /// `graph`, measured by `metrics`; `version` is the program's.
    pub fn new(graph: Arc<Graph>, metrics: &Metrics, version: &str) -> Self {
        let metrics =
            metrics.pipeline(graph.name(), graph.environment(), graph.fingerprint(), version);
        let resources = graph.resources();
        metrics.set_resources(resources.clone());
        Self { meters: Meters::of(&graph, &metrics), graph, resources, metrics }
    }
}

impl Runtime {
    /// A runtime whose calls take their places from `admission`, which it may share with others.
    /// `clock` is read as each begins; `seed` is where the calls' ids and randomness come from: of
    /// two runtimes of one process each needs its own.
    pub fn new(
        pipeline: Pipeline,
        connector: Connector,
        clock: impl Fn() -> SystemTime + Send + Sync + 'static,
        admission: Arc<Admission>,
        limits: Limits,
        seed: u64,
    ) -> Self {
        let seeds = StdRng::seed_from_u64(seed);
        Self {
            connector,
            clock: Box::new(clock),
            limits,
            admission,
            current: Mutex::new(Current { pipeline, seeds }),
            closing: CancellationToken::new(),
            cancelled: CancellationToken::new(),
        }
    }

    /// Takes a place for one call.
    ///
    /// # Errors
    /// [`Refused`] where all places are taken, or the runtime drains.
    pub fn admit(&self) -> Result<Permit, Refused> {
        self.admission.admit()
    }

    /// How many calls are in progress, and how many may be, of all runtimes that share it.
    pub fn admission(&self) -> &Arc<Admission> {
        &self.admission
    }

    /// The pipeline that new calls get.
    pub fn pipeline(&self) -> Pipeline {
        self.lock().pipeline.clone()
    }

    /// Gives new calls another pipeline. Calls in progress keep theirs.
    pub fn replace(&self, pipeline: Pipeline) {
        self.lock().pipeline = pipeline;
    }

    /// Runs one call to its end, in the place that `permit` holds.
    pub async fn call(
        &self,
        permit: Permit,
        transport: Transport,
        observers: Vec<Arc<dyn Observer>>,
    ) -> CallEnd {
        let (pipeline, seed) = {
            let mut current = self.lock();
            (current.pipeline.clone(), current.seeds.random())
        };
        let counted = pipeline.metrics.begin_call();
        let figures: Arc<dyn Observer> = pipeline.metrics;
        let session = Session {
            graph: pipeline.graph,
            meters: pipeline.meters,
            connector: self.connector.clone(),
            transport,
            started_at: (self.clock)(),
            observers: std::iter::once(figures).chain(observers).collect(),
            closing: self.closing.child_token(),
            cancelled: self.cancelled.child_token(),
            seed,
            limits: self.limits,
        };
        let end = session.run().await;
        counted.end(end.reason.name());
        drop(permit);
        end
    }

    /// Admits no more calls and waits for those in progress: up to `patience` undisturbed, then
    /// asked to end in order, then, after the drain limit of a call, at once. Where the admission
    /// is shared this waits for the others' calls too, which only they can end: use
    /// [`Runtimes::drain`].
    pub async fn drain(&self, patience: Duration) {
        self.admission.close();
        let over = self.admission.until_empty();
        tokio::pin!(over);
        if tokio::time::timeout(patience, &mut over).await.is_ok() {
            return;
        }
        self.close_calls();
        if tokio::time::timeout(self.limits.drain, &mut over).await.is_ok() {
            return;
        }
        self.cancelled.cancel();
        over.await;
    }

    /// Asks the calls in progress to end in order. Those that begin later are asked at once.
    pub fn close_calls(&self) {
        self.closing.cancel();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Current> {
        self.current.lock().expect("no panic holds this lock")
    }
}
