//! The numbers of one pipeline in one environment, over all its calls.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use hdrhistogram::Histogram;
use indexmap::IndexMap;
use serde::Serialize;
use tokio::time::Instant;

use super::turns::Turns;
use super::{EdgeReport, EndedTurn, NodeMeter, TurnSeries};
use crate::edge::{EdgeFigures, EdgeMeter, Limit, Overflow};
use crate::event::{Event, Observer};
use crate::resource::Resources;

/// Which pipeline it is. Name and environment are the labels of every series; the rest is that of
/// the graph that new calls get.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// The pipeline's name.
    pub pipeline: String,
    /// The environment that it is configured for.
    pub environment: String,
    /// The resolved graph's fingerprint.
    pub fingerprint: String,
    /// The program's version.
    pub version: String,
}

/// The numbers of one pipeline. Told as an [`Observer`] of each call; meters are handed to
/// sessions.
#[derive(Debug)]
pub struct PipelineMetrics {
    identity: Mutex<Identity>,
    resources: Mutex<Resources>,
    meters: Mutex<Meters>,
    tally: Mutex<Tally>,
}

/// In the order in which they were first asked for, which is the graph's. An edge whose limit a new
/// graph changed has a meter for each.
#[derive(Debug, Default)]
struct Meters {
    edges: IndexMap<String, Vec<Arc<EdgeMeter>>>,
    nodes: IndexMap<String, Arc<NodeMeter>>,
}

/// What is counted of calls and turns.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) sessions: u64,
    pub(super) ended: BTreeMap<&'static str, u64>,
    pub(super) faults: BTreeMap<String, u64>,
    pub(super) turns: Turns,
}

/// A call in progress. Its drop is the call's end.
#[derive(Debug)]
#[must_use = "the call counts as ended when this is dropped"]
pub struct CallGuard {
    metrics: Arc<PipelineMetrics>,
    reason: &'static str,
}

impl PipelineMetrics {
    pub(super) fn new(identity: Identity) -> Self {
        Self {
            identity: Mutex::new(identity),
            resources: Mutex::default(),
            meters: Mutex::default(),
            tally: Mutex::default(),
        }
    }

    /// Which pipeline it is, with the graph that new calls get.
    pub fn identity(&self) -> Identity {
        self.identity.lock().expect("no panic holds this lock").clone()
    }

    pub(super) fn set_identity(&self, identity: Identity) {
        *self.identity.lock().expect("no panic holds this lock") = identity;
    }

    /// What is shared by the calls of the graph that new calls get.
    pub fn resources(&self) -> Resources {
        self.resources.lock().expect("no panic holds this lock").clone()
    }

    /// Shows the figures of these from now on. They count for themselves, so that a new graph's
    /// begin at 0, which Prometheus takes for a restart.
    pub fn set_resources(&self, resources: Resources) {
        *self.resources.lock().expect("no panic holds this lock") = resources;
    }

    /// The meter of the edge `name`: always the same for the same limit and policy.
    pub fn edge(&self, name: &str, limit: Limit, overflow: Overflow) -> Arc<EdgeMeter> {
        let mut meters = self.meters();
        let known = meters.edges.entry(name.to_owned()).or_default();
        let same = |meter: &Arc<EdgeMeter>| meter.limit() == limit && meter.overflow() == overflow;
        // The last one is what new calls use and what is shown.
        let meter = match known.iter().position(same) {
            Some(index) => known.remove(index),
            None => EdgeMeter::new(name, limit, overflow),
        };
        known.push(Arc::clone(&meter));
        meter
    }

    /// The meter of the node `name`: always the same.
    pub fn node(&self, name: &str) -> Arc<NodeMeter> {
        let mut meters = self.meters();
        let meter = meters.nodes.entry(name.to_owned());
        Arc::clone(meter.or_insert_with(|| NodeMeter::new(name)))
    }

    /// Counts a call from now on.
    pub fn begin_call(self: &Arc<Self>) -> CallGuard {
        self.tally().sessions += 1;
        CallGuard { metrics: Arc::clone(self), reason: "aborted" }
    }

    /// How many calls are in progress.
    pub fn sessions(&self) -> u64 {
        self.tally().sessions
    }

    /// The figures of every edge, in the order of the graph.
    pub fn edges(&self) -> Vec<EdgeFigures> {
        self.meters().edges.values().filter_map(|meters| joined(meters)).collect()
    }

    /// The same as percentiles.
    pub fn edge_reports(&self) -> Vec<EdgeReport> {
        self.edges().iter().map(EdgeReport::from).collect()
    }

    /// The meter of every node, in the order of the graph.
    pub fn nodes(&self) -> Vec<Arc<NodeMeter>> {
        self.meters().nodes.values().cloned().collect()
    }

    /// The values of `series` so far, in µs; `None` where there are none.
    pub fn turns_us(&self, series: TurnSeries) -> Option<Histogram<u64>> {
        self.tally().turns.durations_us.get(&series).cloned()
    }

    /// The last turns that ended, of all calls, the latest last: at most
    /// [`MAX_RECENT_TURNS`](super::MAX_RECENT_TURNS).
    pub fn recent_turns(&self) -> Vec<EndedTurn> {
        self.tally().turns.recent.iter().cloned().collect()
    }

    pub(super) fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().expect("no panic holds this lock")
    }

    fn meters(&self) -> MutexGuard<'_, Meters> {
        self.meters.lock().expect("no panic holds this lock")
    }
}

/// The figures of an edge under all its limits; the last one's limit is shown.
fn joined(meters: &[Arc<EdgeMeter>]) -> Option<EdgeFigures> {
    let (last, others) = meters.split_last()?;
    let mut sum = last.figures();
    for other in others {
        sum.add(&other.figures());
    }
    Some(sum)
}

impl Observer for PipelineMetrics {
    fn on(&self, _: Instant, event: &Event) {
        match event {
            Event::TurnEnded { report, .. } => self.tally().turns.note(report),
            Event::Fault { node, .. } => {
                *self.tally().faults.entry(node.clone()).or_default() += 1;
            }
            _ => {}
        }
    }
}

impl CallGuard {
    /// The call ended for `reason`; dropped without one, it counts as `aborted`.
    pub fn end(mut self, reason: &'static str) {
        self.reason = reason;
    }
}

impl Drop for CallGuard {
    fn drop(&mut self) {
        let mut tally = self.metrics.tally();
        tally.sessions -= 1;
        *tally.ended.entry(self.reason).or_default() += 1;
    }
}
