//! How calls end: in order, by a failure, by a panic, by a deadline.

mod records;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::{CallEnd, EndReason, Limits, Meters, Session};
use crate::connect::{Connector, Roots};
use crate::edge::{Limit, Overflow};
use crate::graph::{Graph, GraphEdge, GraphNode};
use crate::message::{AudioFrame, Envelope, PayloadKind};
use crate::node::{Context, Node, NodeError, NodeFactory, Ports};
use crate::signature::{PortSpec, Role, Signature};
use crate::transport::{Captured, Sink, SinkGone, Source, Transport};
use crate::variables::{Declaration, Declarations, VariableType, Variables};

/// What the second node of the two does.
#[derive(Clone, Copy, Debug)]
enum Behaviour {
    Reads,
    Fails,
    Panics,
    HangsUp,
    /// Neither reads nor listens to its context.
    IsDeaf,
    /// Waits for the call's token alone.
    NeverDrains,
    /// Finishes what it has begun, for so many seconds after the call was cancelled.
    Finishes(u64),
    /// Is the last to end, just after the call was cancelled, and says that it did well.
    EndsCancelled,
    /// The same, and takes it for a failure.
    FailsCancelled,
}

struct Mic;
struct Ear(Behaviour);

#[async_trait]
impl Node for Mic {
    async fn run(self: Box<Self>, mut ports: Ports, ctx: Context) -> Result<(), NodeError> {
        let mut output = ports.output::<AudioFrame>("audio");
        for _ in 0..3 {
            let frame = AudioFrame::silence(AudioFrame::LENGTH, AudioFrame::CALLER_RATE_HZ);
            output.send(Envelope::session(Instant::now(), frame)).await?;
        }
        let _ = ctx;
        Ok(())
    }
}

#[async_trait]
impl Node for Ear {
    async fn run(self: Box<Self>, mut ports: Ports, ctx: Context) -> Result<(), NodeError> {
        let mut input = ports.input::<AudioFrame>("audio");
        input.recv().await;
        match self.0 {
            Behaviour::Reads => while input.recv().await.is_some() {},
            Behaviour::Fails => return Err(full()),
            Behaviour::Panics => panic!("as the test wants it"),
            Behaviour::HangsUp => return Err(NodeError::HungUp),
            Behaviour::IsDeaf => std::future::pending().await,
            Behaviour::NeverDrains => ctx.cancelled.cancelled().await,
            Behaviour::Finishes(seconds) => {
                ctx.cancelled.cancelled().await;
                sleep(Duration::from_secs(seconds)).await;
            }
            Behaviour::EndsCancelled | Behaviour::FailsCancelled => {
                while input.recv().await.is_some() {}
                ctx.cancelled.cancel();
                return matches!(self.0, Behaviour::EndsCancelled).then_some(()).ok_or_else(full);
            }
        }
        Ok(())
    }
}

fn full() -> NodeError {
    NodeError::Provider { provider: "ear", reason: "is full".to_owned() }
}

struct MicFactory;
struct EarFactory(Behaviour);

impl NodeFactory for MicFactory {
    fn create(&self) -> Box<dyn Node> {
        Box::new(Mic)
    }
}

impl NodeFactory for EarFactory {
    fn create(&self) -> Box<dyn Node> {
        Box::new(Ear(self.0))
    }

    fn finish_limit(&self) -> Duration {
        match self.0 {
            Behaviour::Finishes(_) => Duration::from_secs(5),
            _ => Duration::ZERO,
        }
    }
}

fn graph(behaviour: Behaviour) -> Graph {
    let output = PortSpec::output::<AudioFrame>("audio", "sound");
    let input = PortSpec::input::<AudioFrame>("audio", Limit::count(8), Overflow::Block, "sound");
    let mic = GraphNode {
        name: "mic".into(),
        kind: "mic",
        signature: Signature::new(Vec::new(), vec![output]).role(Role::Source),
        factory: Arc::new(MicFactory),
    };
    let ear = GraphNode {
        name: "ear".into(),
        kind: "ear",
        signature: Signature::new(vec![input], Vec::new()),
        factory: Arc::new(EarFactory(behaviour)),
    };
    let edge = GraphEdge {
        name: "mic.audio -> ear.audio".to_owned(),
        from: 0,
        output: "audio",
        to: 1,
        input: "audio",
        payload: PayloadKind::Audio,
        limit: Limit::count(8),
        overflow: Overflow::Block,
    };
    Graph {
        name: "test".to_owned(),
        environment: "base".to_owned(),
        fingerprint: "0".repeat(64),
        variables: Declarations::default(),
        nodes: vec![mic, ear],
        edges: vec![edge],
    }
}

struct Nothing;

#[async_trait]
impl Source for Nothing {
    async fn next(&mut self) -> Captured {
        Captured::Finished
    }
}

#[async_trait]
impl Sink for Nothing {
    fn sample_rate_hz(&self) -> NonZeroU32 {
        AudioFrame::CALLER_RATE_HZ
    }

    async fn play(&mut self, _: &AudioFrame) -> Result<Instant, SinkGone> {
        Ok(Instant::now())
    }

    fn clear(&mut self) {}
}

fn session(behaviour: Behaviour) -> (Session, Meters) {
    let graph = Arc::new(graph(behaviour));
    let meters = Meters::detached(&graph);
    let session = Session {
        graph,
        meters: meters.clone(),
        connector: Connector::new(&Roots::Given(Vec::new())),
        transport: Transport {
            source: Box::new(Nothing),
            sink: Box::new(Nothing),
            caller: None,
            variables: Variables::default(),
            observer: None,
        },
        started_at: SystemTime::UNIX_EPOCH,
        observers: Vec::new(),
        closing: CancellationToken::new(),
        cancelled: CancellationToken::new(),
        seed: 7,
        limits: Limits { drain: Duration::from_secs(3), stop: Duration::from_secs(1) },
    };
    (session, meters)
}

async fn end_of(behaviour: Behaviour) -> CallEnd {
    session(behaviour).0.run().await
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_source_drains_the_graph() {
    let (session, meters) = session(Behaviour::Reads);
    assert_eq!(session.run().await.reason, EndReason::Finished);
    let counts = meters.edges[0].counts();
    assert_eq!((counts.sent, counts.received, counts.length), (3, 3, 0));
}

#[tokio::test(start_paused = true)]
async fn a_failing_node_ends_the_call_with_its_reason() {
    let reason = end_of(Behaviour::Fails).await.reason;
    assert_eq!(reason.to_string(), "node \"ear\" failed: ear: is full");
}

#[tokio::test(start_paused = true)]
async fn a_panicking_node_ends_the_call_and_not_the_process() {
    let reason = end_of(Behaviour::Panics).await.reason;
    assert_eq!(reason, EndReason::NodePanicked { node: "ear".into() });
}

#[tokio::test(start_paused = true)]
async fn a_hang_up_is_an_end_in_order() {
    let reason = end_of(Behaviour::HangsUp).await.reason;
    assert_eq!(reason, EndReason::HungUp);
    assert!(reason.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_does_not_drain_is_ended_at_its_deadline() {
    let end = end_of(Behaviour::NeverDrains).await;
    assert_eq!(end.reason, EndReason::DrainTimedOut { limit: Duration::from_secs(3) });
    assert_eq!(end.duration, Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn a_deaf_stage_is_aborted() {
    let (session, meters) = session(Behaviour::IsDeaf);
    let end = session.run().await;
    assert_eq!(end.duration, Duration::from_secs(3 + 1));
    let counts = meters.edges[0].counts();
    assert_eq!(counts.sent, counts.received + counts.dropped_total(), "nothing is left");
}

#[tokio::test(start_paused = true)]
async fn a_stage_that_must_finish_is_waited_for_within_its_limit() {
    for (needs, waited) in [(0, 0), (5, 5), (7, 6)] {
        let (session, _) = session(Behaviour::Finishes(needs));
        session.cancelled.cancel();
        let end = session.run().await;
        let waited = Duration::from_secs(waited);
        assert_eq!((end.reason, end.duration), (EndReason::Closed, waited), "{needs} s");
    }
}

/// A source that is told to close, and has ended before its call hears of it.
struct Prompt;

#[async_trait]
impl Node for Prompt {
    async fn run(self: Box<Self>, _: Ports, ctx: Context) -> Result<(), NodeError> {
        ctx.closing.cancel();
        Ok(())
    }
}

impl NodeFactory for Prompt {
    fn create(&self) -> Box<dyn Node> {
        Box::new(Self)
    }
}

#[tokio::test(start_paused = true)]
async fn a_closed_call_ends_for_that_reason_however_soon_its_source_ends() {
    let (mut session, _) = session(Behaviour::Reads);
    let mut graph = graph(Behaviour::Reads);
    graph.nodes[0].factory = Arc::new(Prompt);
    session.graph = Arc::new(graph);
    assert_eq!(session.run().await.reason, EndReason::Closed);
}

#[tokio::test(start_paused = true)]
async fn cancelling_ends_the_call_at_once() {
    let (session, _) = session(Behaviour::NeverDrains);
    session.cancelled.cancel();
    let end = session.run().await;
    assert_eq!((end.reason, end.duration), (EndReason::Closed, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_call_ends_for_that_reason_whatever_its_stages_make_of_it() {
    for behaviour in [Behaviour::EndsCancelled, Behaviour::FailsCancelled] {
        assert_eq!(end_of(behaviour).await.reason, EndReason::Closed, "{behaviour:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn ids_come_from_the_seed() {
    let first = end_of(Behaviour::Reads).await.session_id;
    assert_eq!(end_of(Behaviour::Reads).await.session_id, first);
    let (mut other, _) = session(Behaviour::Reads);
    other.seed = 8;
    assert_ne!(other.run().await.session_id, first);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_not_given_what_the_pipeline_needs_is_refused() {
    let (mut session, meters) = session(Behaviour::Reads);
    let name = Declaration {
        name: "patient_name".into(),
        kind: VariableType::String,
        default: None,
        description: None,
        max_length: 8,
        attribute: None,
    };
    let mut graph = graph(Behaviour::Reads);
    graph.variables = Declarations::new([name]);
    session.graph = Arc::new(graph);
    let end = session.run().await;
    assert_eq!(end.reason.name(), "refused");
    let told = "the call was refused: `patient_name` is missing, and has no default";
    assert_eq!(end.reason.to_string(), told);
    assert_eq!(meters.edges[0].figures().counts.sent, 0, "no stage ran");
}
