//! Several runtimes with one admission.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::{Admission, Pipeline, Refused, RepeatedName, Runtime, Runtimes};
use crate::connect::{Connector, Roots};
use crate::graph::{Graph, GraphNode};
use crate::metrics::Metrics;
use crate::node::{Context, Node, NodeError, NodeFactory, Ports};
use crate::session::{CallEnd, EndReason, Limits};
use crate::signature::{Role, Signature};
use crate::transport::scripted;

/// A source that lasts until the call is asked to end.
struct Lasting;

#[async_trait]
impl Node for Lasting {
    async fn run(self: Box<Self>, _: Ports, ctx: Context) -> Result<(), NodeError> {
        ctx.closing.cancelled().await;
        Ok(())
    }
}

impl NodeFactory for Lasting {
    fn create(&self) -> Box<dyn Node> {
        Box::new(Self)
    }
}

fn runtime(name: &str, admission: &Arc<Admission>) -> Arc<Runtime> {
    let signature = Signature::new(Vec::new(), Vec::new()).role(Role::Source);
    let node = GraphNode { name: "mic".into(), kind: "mic", signature, factory: Arc::new(Lasting) };
    let graph = Graph {
        name: name.to_owned(),
        environment: "base".to_owned(),
        fingerprint: "f00d".to_owned(),
        variables: Default::default(),
        nodes: vec![node],
        edges: Vec::new(),
    };
    let pipeline = Pipeline::new(Arc::new(graph), &Metrics::new(), "0.1.0");
    let connector = Connector::new(&Roots::Given(Vec::new()));
    let clock = || SystemTime::UNIX_EPOCH;
    let (admission, limits) = (Arc::clone(admission), Limits::default());
    Arc::new(Runtime::new(pipeline, connector, clock, admission, limits, 0))
}

/// A call in progress.
fn begin(runtime: &Arc<Runtime>) -> Result<JoinHandle<CallEnd>, Refused> {
    let (permit, runtime) = (runtime.admit()?, Arc::clone(runtime));
    let transport = scripted::call(scripted::Script::new(Vec::new()), None);
    Ok(tokio::spawn(async move { runtime.call(permit, transport, Vec::new()).await }))
}

fn two(places: u32) -> Runtimes {
    let admission = Arc::new(Admission::new(places));
    let others = [runtime("hotel", &admission)];
    Runtimes::new(runtime("clinic", &admission), others).expect("two names")
}

#[tokio::test(start_paused = true)]
async fn the_cap_counts_the_calls_of_all_pipelines() {
    let runtimes = two(2);
    let (clinic, hotel) = (runtimes.default_one(), runtimes.get("hotel").expect("it is there"));
    let (_first, _second) = (begin(clinic).expect("a place"), begin(hotel).expect("a place"));
    for full in [clinic, hotel] {
        assert_eq!(begin(full).expect_err("full"), Refused::Full { max: 2 });
        assert_eq!(full.admission().in_progress(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn draining_asks_the_calls_of_all_pipelines_to_end() {
    let runtimes = two(3);
    let calls: Vec<_> = runtimes.iter().map(|one| begin(one).expect("a place")).collect();
    let began = Instant::now();
    runtimes.drain(Duration::from_secs(30)).await;
    assert_eq!(began.elapsed(), Duration::from_secs(30), "undisturbed so long, then at once");
    for call in calls {
        assert_eq!(call.await.expect("no panic").reason, EndReason::Closed);
    }
    assert!(runtimes.iter().all(|one| begin(one).err() == Some(Refused::Draining)));
    assert_eq!(runtimes.admission().in_progress(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_drain_without_calls_is_over_at_once() {
    let began = Instant::now();
    two(1).drain(Duration::from_secs(30)).await;
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn pipelines_are_found_by_name_and_names_are_different() {
    let runtimes = two(1);
    assert_eq!(runtimes.default_one().pipeline().graph.name(), "clinic");
    assert!(runtimes.get("clinic").is_some() && runtimes.get("bank").is_none());
    let admission = Arc::new(Admission::new(1));
    let twice = Runtimes::new(runtime("clinic", &admission), [runtime("clinic", &admission)]);
    assert_eq!(twice.err(), Some(RepeatedName { name: "clinic".to_owned() }));
}
