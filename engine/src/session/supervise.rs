//! Starts the stages of one call and watches them to the end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::{Meters, record, wire};
use crate::call::{CallEnd, CallRecord, EndReason};
use crate::connect::Connector;
use crate::event::{AgentState, Event, Observers};
use crate::graph::Graph;
use crate::node::{Context, NodeError};
use crate::signature::Role;
use crate::transport::Transport;
use crate::turn::{CurrentTurn, TurnControl};
use crate::variables;

/// How long the end of a call may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From the end of the sources to the end of the last stage: long enough for the longest answer
    /// to be spoken to its end. Default 60 s.
    pub drain: Duration,
    /// From the call's cancellation to the end of the last stage, before it is aborted. Default 2
    /// s. Where a node must finish what it has begun
    /// ([`finish_limit`](crate::node::NodeFactory::finish_limit)), that time comes first.
    pub stop: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { drain: Duration::from_secs(60), stop: Duration::from_secs(2) }
    }
}

/// One call, ready to run.
pub struct Session {
    /// The pipeline.
    pub graph: Arc<Graph>,
    /// Where its figures go.
    pub meters: Meters,
    /// Its way to providers.
    pub connector: Connector,
    /// Its audio.
    pub transport: Transport,
    /// When it begins, by the wall clock.
    pub started_at: SystemTime,
    /// Who is told of it, besides the transport.
    pub observers: Vec<Arc<dyn crate::event::Observer>>,
    /// Asks it to end in order: the sources close, and what was said is answered.
    pub closing: CancellationToken,
    /// Ends it at once.
    pub cancelled: CancellationToken,
    /// Where its ids and its randomness come from.
    pub seed: u64,
    /// How long its end may take.
    pub limits: Limits,
}

type Stages = JoinSet<Result<(), NodeError>>;

/// A stage's place among the tasks.
struct Stage {
    node: Arc<str>,
    role: Role,
}

impl Session {
    /// Runs the call to its end. A node's error or panic ends it with a reason.
    pub async fn run(self) -> CallEnd {
        let began = Instant::now();
        let mut rng = StdRng::seed_from_u64(self.seed);
        let session_id: Arc<str> = format!("{:032x}", rng.random::<u128>()).into();
        let span = tracing::info_span!(
            "call",
            session = %session_id,
            pipeline = self.graph.name(),
            fingerprint = self.graph.fingerprint(),
        );
        let (graph, connector) = (Arc::clone(&self.graph), self.connector.clone());
        let (caller, started_at) = (self.transport.caller.clone(), self.started_at);
        let (reason, turns) = self.supervise(&session_id, rng).instrument(span.clone()).await;
        let duration = began.elapsed();
        span.in_scope(|| tracing::info!(reason = %reason, ?duration, "call ended"));
        let end = CallEnd { session_id, reason, duration };
        let pipeline = graph.name().into();
        let call = CallRecord { end, pipeline, caller, started_at, turns };
        record::keep(&graph, &call, &connector).instrument(span).await;
        call.end
    }

    /// Why the call ended, and how many turns it had.
    async fn supervise(mut self, session_id: &Arc<str>, rng: StdRng) -> (EndReason, u32) {
        match self.graph.variables().complete(&self.transport.variables) {
            Ok(variables) => self.transport.variables = variables,
            Err(refusals) => {
                let what = variables::told(&refusals);
                return (EndReason::Refused { what }, 0);
            }
        }
        let mut observers = std::mem::take(&mut self.observers);
        observers.extend(self.transport.observer.take());
        let observers = Observers::new(observers);
        observers.tell(&Event::AgentState(AgentState::Initializing));
        let control = TurnControl::new(self.cancelled.clone(), observers.clone());
        let turn = control.watch();
        let watch = Watch {
            closing: self.closing.clone(),
            cancelled: self.cancelled.clone(),
            drain: self.limits.drain,
            stop: self.limits.stop + finish_limit(&self.graph),
            turn: turn.clone(),
        };
        let (stages, names) = self.spawn(session_id, rng, &observers, control);
        observers.tell(&Event::AgentState(AgentState::Listening));
        let reason = watch.until_over(stages, names).await;
        (reason, turn.begun())
    }

    /// Spawns every node with its ports and its context.
    fn spawn(
        self,
        session_id: &Arc<str>,
        mut rng: StdRng,
        observers: &Observers,
        control: TurnControl,
    ) -> (Stages, HashMap<Id, Stage>) {
        let mut stages = Stages::new();
        let mut names = HashMap::new();
        let ports = wire::ports(&self.graph, &self.meters, &self.cancelled);
        let (mut source, mut sink) = (Some(self.transport.source), Some(self.transport.sink));
        let mut control = Some(control);
        for (index, (node, ports)) in self.graph.nodes().iter().zip(ports).enumerate() {
            let role = node.signature.role;
            let ctx = Context {
                session_id: Arc::clone(session_id),
                caller: self.transport.caller.clone(),
                started_at: self.started_at,
                node: Arc::clone(&node.name),
                connector: self.connector.clone(),
                cancelled: self.cancelled.clone(),
                closing: self.closing.clone(),
                tools: wire::tools(&self.graph, index),
                meter: Arc::clone(&self.meters.nodes[index]),
                variables: self.transport.variables.clone(),
                observers: observers.clone(),
                seed: rng.random(),
                source: Mutex::new(source.take_if(|_| role == Role::Source)),
                sink: Mutex::new(sink.take_if(|_| role == Role::Sink)),
                control: control.take_if(|_| role == Role::TurnControl),
            };
            let span = tracing::info_span!("node", node = %node.name);
            let stage = node.factory.create().run(ports, ctx).instrument(span);
            let task = stages.spawn(stage.in_current_span());
            names.insert(task.id(), Stage { node: Arc::clone(&node.name), role });
        }
        (stages, names)
    }
}

/// The longest that any stage may need to finish what it has begun.
fn finish_limit(graph: &Graph) -> Duration {
    let limits = graph.nodes().iter().map(|node| node.factory.finish_limit());
    limits.max().unwrap_or_default()
}

/// What the supervision of a call needs to know.
struct Watch {
    closing: CancellationToken,
    cancelled: CancellationToken,
    /// From the end of the sources to the call's cancellation.
    drain: Duration,
    /// From there to the abortion of what still runs.
    stop: Duration,
    turn: CurrentTurn,
}

impl Watch {
    /// Waits for every stage; the first reason to end counts.
    async fn until_over(self, mut stages: Stages, names: HashMap<Id, Stage>) -> EndReason {
        let mut reason = None;
        let mut deadline = None;
        loop {
            tokio::select! {
                biased;
                ended = stages.join_next_with_id() => {
                    let Some(ended) = ended else { break };
                    let source_ended = self.note(ended, &names, &mut reason);
                    if source_ended && deadline.is_none() {
                        // It may hear of the closing sooner than we do.
                        if self.closing.is_cancelled() {
                            reason.get_or_insert(EndReason::Closed);
                        }
                        deadline = Some(Instant::now() + self.drain);
                    }
                }
                () = self.closing.cancelled(), if deadline.is_none() => {
                    reason.get_or_insert(EndReason::Closed);
                    deadline = Some(Instant::now() + self.drain);
                }
                () = self.cancelled.cancelled() => {
                    reason.get_or_insert(EndReason::Closed);
                    break;
                }
                () = until(deadline) => {
                    reason = Some(EndReason::DrainTimedOut { limit: self.drain });
                    self.cancelled.cancel();
                }
            }
        }
        self.stop(&mut stages).await;
        self.turn.end_with_call();
        reason.unwrap_or(EndReason::Finished)
    }

    /// Notes the end of one stage; `true` where it was the source. What ends after the call was
    /// cancelled is not why it ended.
    fn note(
        &self,
        ended: Result<(Id, Result<(), NodeError>), JoinError>,
        names: &HashMap<Id, Stage>,
        reason: &mut Option<EndReason>,
    ) -> bool {
        if self.cancelled.is_cancelled() {
            reason.get_or_insert(EndReason::Closed);
        }
        let (id, failure) = match ended {
            Ok((id, Ok(()) | Err(NodeError::Closed))) => (id, None),
            Ok((id, Err(NodeError::HungUp))) => (id, Some(EndReason::HungUp)),
            Ok((id, Err(error))) => {
                let node = Arc::clone(&names[&id].node);
                (id, Some(EndReason::NodeFailed { node, error: error.to_string() }))
            }
            Err(panic) => {
                let node = Arc::clone(&names[&panic.id()].node);
                (panic.id(), Some(EndReason::NodePanicked { node }))
            }
        };
        if let Some(failure) = failure {
            reason.get_or_insert(failure);
            self.cancelled.cancel();
        }
        names[&id].role == Role::Source
    }

    /// Gives the stages of a cancelled call the time to stop by themselves, then aborts them.
    async fn stop(&self, stages: &mut Stages) {
        let stopping = async { while stages.join_next().await.is_some() {} };
        if tokio::time::timeout(self.stop, stopping).await.is_err() {
            tracing::error!(stages = stages.len(), "stages did not stop when told, aborted");
            stages.shutdown().await;
        }
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
