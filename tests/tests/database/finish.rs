//! The end of a call while a tool runs: a write is finished, and the end waits for it; a read is
//! cut at once.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use sqlx::Executor as _;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use voicegraph_database::{Database, Dialect};
use voicegraph_engine::config::{Sources, compile};
use voicegraph_engine::connect::{Connector, Roots};
use voicegraph_engine::edge::{Limit, Overflow};
use voicegraph_engine::message::{AudioFrame, Envelope, ToolCall, ToolReply};
use voicegraph_engine::node::{
    Context, Kind, Node, NodeError, NodeFactory, PortSpec, Ports, Problem, Role, Signature,
};
use voicegraph_engine::session::{CallEnd, Limits, Meters, Session};
use voicegraph_engine::transport::file;
use voicegraph_tests::made::Made;

use crate::place::{self, Place, number};
use crate::runaway::{ENDLESS, until_read};

/// How long what must happen may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// How long the write takes: longer than the time that a call gives to stages to stop.
const BUSY: Duration = Duration::from_secs(4);

/// Calls a tool, and listens to the end of the call alone. It stands where turns
/// and models are.
struct Asker;

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AskerOptions {
    tool: String,
}

impl Kind for Asker {
    type Options = AskerOptions;
    const NAME: &'static str = "asker";
    const SUMMARY: &'static str = "Calls a tool.";

    fn signature() -> Signature {
        let limit = Limit::count(4);
        let heard = PortSpec::input::<AudioFrame>("heard", limit, Overflow::DropOldest, "unread");
        let call = PortSpec::output::<ToolCall>("call", "one call");
        let audio = PortSpec::output::<AudioFrame>("audio", "nothing");
        Signature::new(vec![heard], vec![call, audio]).role(Role::TurnControl)
    }

    fn build(options: AskerOptions, _: &str) -> Result<Arc<dyn NodeFactory>, Vec<Problem>> {
        Ok(Arc::new(Made(move || AskerStage(options.clone()))))
    }
}

struct AskerStage(AskerOptions);

#[async_trait]
impl Node for AskerStage {
    async fn run(self: Box<Self>, mut ports: Ports, ctx: Context) -> Result<(), NodeError> {
        let mut output = ports.output::<ToolCall>("call");
        let _unread = ports.input::<AudioFrame>("heard");
        let _silent = ports.output::<AudioFrame>("audio");
        let (reply, _receiver) = ToolReply::new();
        let (name, arguments) = (self.0.tool.as_str().into(), json!({}));
        let call = ToolCall { id: "1".into(), name, arguments, reply };
        output.send(Envelope::session(Instant::now(), call)).await?;
        ctx.cancelled.cancelled().await;
        Ok(())
    }
}

/// A call that is in progress, and has called `tool`.
struct InProgress {
    cancelled: CancellationToken,
    meters: Meters,
    running: JoinHandle<CallEnd>,
}

impl InProgress {
    fn with(place: &Place, tool: &str) -> Self {
        let text = pipeline(place, tool);
        let registry = voicegraph_nodes::registry().with::<Asker>();
        let compiled = compile(&Sources::from_text(&text, None), &|_| None, &registry);
        let compiled = compiled.unwrap_or_else(|found| panic!("{}", found.to_text(false)));
        let graph = Arc::new(compiled.graph);
        let (meters, cancelled) = (Meters::detached(&graph), CancellationToken::new());
        let session = Session {
            graph,
            meters: meters.clone(),
            connector: Connector::new(&Roots::Given(Vec::new())),
            transport: file::transport(&[], LIMIT, None),
            observers: Vec::new(),
            closing: CancellationToken::new(),
            cancelled: cancelled.clone(),
            started_at: std::time::SystemTime::UNIX_EPOCH,
            seed: 1,
            limits: Limits::default(),
        };
        Self { cancelled, meters, running: tokio::spawn(session.run()) }
    }

    /// Waits until the tool's node has taken the call.
    async fn begun(&self) {
        let taken = async {
            let call = self.meters.edges.iter().find(|edge| edge.name().contains("call"));
            let call = call.expect("the edge is in the pipeline");
            while call.counts().received == 0 {
                tokio::task::yield_now().await;
            }
        };
        timeout(LIMIT, taken).await.expect("the call is taken");
    }

    /// Cancels the call; says how long its end took.
    async fn cancel(self) -> Duration {
        let cancelled_at = Instant::now();
        self.cancelled.cancel();
        timeout(LIMIT, self.running).await.expect("the call ends").unwrap();
        cancelled_at.elapsed()
    }
}

fn pipeline(place: &Place, tool: &str) -> String {
    let authority = place.authority.as_ref();
    let authority = authority.map(|path| format!("root_certificates = {path:?}"));
    let authority = authority.unwrap_or_default();
    let url = &place.url;
    let busy_s = BUSY.as_secs();
    format!(
        r#"[pipeline]
         name = 'finish'
         [nodes.asker]
         kind = 'asker'
         tool = '{tool}'
         [nodes.tools]
         kind = 'db_tool'
         database = {{ url = '{url}', {authority} }}
         [[nodes.tools.tools]]
         name = 'write'
         description = 'Writes.'
         effect = 'write'
         timeout_ms = 15_000
         sql.sqlite = """{INSERT}"""
         sql.postgres = ['select pg_sleep({busy_s})::text', """{INSERT}"""]
         [[nodes.tools.tools]]
         name = 'read'
         description = 'Reads.'
         effect = 'read'
         timeout_ms = 30_000
         sql = """{ENDLESS}"""
         [nodes.speaker]
         kind = 'speaker'
         [nodes.mic]
         kind = 'mic'
         [edges]
         'mic.audio -> asker.heard' = {{}}
         'asker.call -> tools.call' = {{}}
         'asker.audio -> speaker.audio' = {{}}"#
    )
}

const INSERT: &str = "insert into patients (name, phone) values ('Ada', '+441632960001')";

const WRITTEN: &str = "select count(*) from patients";

/// Waits until the server says so of a connection to this database.
async fn until(place: &Place, condition: &str) {
    let watching = Database::open(place.settings());
    let asked = format!(
        "select count(*) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid() and {condition}"
    );
    let seen = async { while number(&watching, &asked).await == 0 {} };
    timeout(LIMIT, seen).await.expect("the tool runs");
}

/// A call whose write is under way, and stays so for `BUSY`: it sleeps, or waits for the file.
async fn writing(place: &Place) -> InProgress {
    if place.dialect == Dialect::Postgres {
        let call = InProgress::with(place, "write");
        until(place, "wait_event = 'PgSleep'").await;
        return call;
    }
    let mut lease = Database::open(place.settings()).acquire().await.unwrap();
    lease.sqlite().unwrap().execute("begin immediate").await.unwrap();
    tokio::spawn(async move {
        sleep(BUSY).await;
        lease.sqlite().unwrap().execute("commit").await.unwrap();
    });
    let call = InProgress::with(place, "write");
    call.begun().await;
    call
}

/// A call whose read is under way, and never ends.
async fn reading(place: &Place) -> InProgress {
    let call = InProgress::with(place, "read");
    if place.dialect == Dialect::Postgres {
        until(place, "state = 'active' and query like '%recursive%'").await;
        return call;
    }
    until_read(place).await;
    call
}

#[tokio::test]
async fn a_write_under_way_is_waited_for() {
    for place in place::both().await {
        let database = place.migrated().await;
        let call = writing(&place).await;
        assert_eq!(number(&database, WRITTEN).await, 0);
        let took = call.cancel().await;
        assert_eq!(number(&database, WRITTEN).await, 1, "{:?} after {took:?}", place.dialect);
    }
}

#[tokio::test]
async fn a_read_under_way_is_cut() {
    for place in place::both().await {
        place.migrated().await.close().await;
        let took = reading(&place).await.cancel().await;
        assert!(took < Limits::default().stop, "{:?}: {took:?}", place.dialect);
    }
}
