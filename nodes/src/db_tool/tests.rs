//! The node against a SQLite file, on the real clock: a database is no part of virtual time.

use std::time::{Duration, SystemTime};

use serde_json::{Value as Json, json};
use sqlx::{Executor, Row};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use voicegraph_database::Database;
use voicegraph_engine::edge::Output;
use voicegraph_engine::event::Observers;
use voicegraph_engine::message::{
    Envelope, ToolCall, ToolError, ToolFailure, ToolReply, ToolResult,
};
use voicegraph_engine::node::{Context, Kind, NodeError, NodeFactory, Ports, Problem};
use voicegraph_engine::turn::{Turn, TurnControl};

use super::{DbTool, Options};
use crate::testing::{beginning, context, declared, edge_to, variables};

/// Far above what anything here takes, so that a hang is a failure.
const PATIENCE: Duration = Duration::from_secs(20);

const SCHEMA: &str = "
    create table doctors (id integer primary key, name text not null) strict;
    create table slots (
        doctor_id integer not null references doctors (id),
        starts_at text not null,
        session_id text not null,
        constraint slots_no_overlap unique (doctor_id, starts_at)
    ) strict;
    create table tool_calls (
        key text not null primary key, session_id text not null, tool text not null,
        result text not null default 'null', created_at text not null default current_timestamp
    ) strict;
    insert into doctors values (1, 'Ada'), (2, 'Grace'), (3, 'Rosalind');";

/// A database, a node on it, and a call that the node serves.
struct World {
    _folder: TempDir,
    database: Database,
    factory: std::sync::Arc<dyn NodeFactory>,
    call: Output<ToolCall>,
    cancelled: CancellationToken,
    control: TurnControl,
    running: JoinHandle<Result<(), NodeError>>,
}

impl World {
    async fn new() -> Self {
        Self::with(context().with_variables(variables(&given()))).await
    }

    async fn with(ctx: Context) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}/test.db", folder.path().display());
        // An empty file is an empty database.
        std::fs::File::create(folder.path().join("test.db")).unwrap();
        let settings = voicegraph_database::Options::new(&url).build("dev").unwrap();
        let database = Database::open(settings);
        let mut lease = database.acquire().await.unwrap();
        lease.sqlite().unwrap().execute(SCHEMA).await.unwrap();
        drop(lease);
        let options: Options = serde_json::from_value(options(&url)).unwrap();
        let factory = DbTool::build_with(options, "dev", &declared(&given()))
            .unwrap_or_else(|problems| panic!("{problems:?}"));
        let (call, input) = edge_to::<ToolCall>(&DbTool::signature(), "call");
        let mut ports = Ports::default();
        ports.add_input("call", input);
        let cancelled = ctx.cancelled.clone();
        let running = tokio::spawn(factory.create().run(ports, ctx));
        let control = TurnControl::new(CancellationToken::new(), Observers::default());
        Self { _folder: folder, database, factory, call, cancelled, control, running }
    }

    fn turn(&mut self) -> Turn {
        self.control.begin(&beginning("a wish"))
    }

    /// Hands a call over, and gives where its result comes.
    async fn ask(
        &mut self,
        turn: &Turn,
        name: &str,
        arguments: Json,
    ) -> oneshot::Receiver<ToolResult> {
        let (reply, receiver) = ToolReply::new();
        let call = ToolCall { id: "1".into(), name: name.into(), arguments, reply };
        self.call.send(Envelope::turn(turn, call)).await.unwrap();
        receiver
    }

    async fn use_tool(&mut self, name: &str, arguments: Json) -> ToolResult {
        let turn = self.turn();
        let receiver = self.ask(&turn, name, arguments).await;
        timeout(PATIENCE, receiver).await.expect("the tool answers").expect("with a result")
    }

    async fn count(&self, table: &str) -> i64 {
        let mut lease = self.database.acquire().await.unwrap();
        let text = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
        lease.sqlite().unwrap().fetch_one(sqlx::query(text)).await.unwrap().get(0)
    }

    async fn end(self) {
        drop(self.call);
        timeout(PATIENCE, self.running).await.expect("the node ends").unwrap().unwrap();
    }
}

fn options(url: &str) -> Json {
    let slot = json!({
        "doctor_id": { "type": "integer" },
        "starts_at": { "type": "string", "format": "date-time" },
    });
    json!({
        "database": { "url": url },
        "tools": [
            { "name": "find", "description": "Finds.", "effect": "read", "max_rows": 2,
              "parameters": { "name": { "type": "string" } }, "none": "not_found",
              "sql": "select id, name from doctors where name like :name order by id" },
            { "name": "book", "description": "Books.", "effect": "write", "parameters": slot,
              "errors": { "slots_doctor_id_starts_at_key": "slot_taken" },
              "sql": ["insert into slots values (:doctor_id, :starts_at, :session_id)",
                      "select starts_at from slots
                       where doctor_id = :doctor_id and starts_at = :starts_at"] },
            { "name": "cancel", "description": "Cancels.", "effect": "write", "parameters": slot,
              "none": "not_found",
              "sql": "delete from slots where doctor_id = :doctor_id and starts_at = :starts_at" },
            { "name": "known", "description": "Tells.", "effect": "read",
              "sql": "select :session_id as session, :caller as caller,
                      length(:idempotency_key) as key,
                      unixepoch(:call_started_at) as began" },
            { "name": "given", "description": "Tells.", "effect": "read",
              "sql": "select :variable_patient as patient, :variable_visits + 1 as visits,
                      :variable_share as share, :variable_patient as again" },
            { "name": "slow", "description": "Counts.", "effect": "read", "timeout_ms": 100,
              "sql": "with recursive n (i) as (select 1 union all select i + 1 from n)
                      select count(*) as n from n" },
            { "name": "sly", "description": "Writes.", "effect": "read",
              "sql": "with a as (select 1) insert into doctors values (9, 'Eve')" },
        ],
    })
}

/// What each call is given. The text is one that SQL must never see as text.
fn given() -> [(&'static str, Json); 3] {
    [("patient", json!("x'; drop table slots; --")), ("visits", json!(3)), ("share", json!(0.5))]
}

fn slot(doctor_id: i64) -> Json {
    json!({ "doctor_id": doctor_id, "starts_at": "2026-11-24T09:30:00+01:00" })
}

fn failure(result: ToolResult) -> ToolFailure {
    result.expect_err("it fails").failure
}

#[tokio::test]
async fn rows_are_told_up_to_the_limit() {
    let mut world = World::new().await;
    let ada = world.use_tool("find", json!({ "name": "Ada" })).await;
    assert_eq!(ada, Ok(json!({ "rows": [{ "id": 1, "name": "Ada" }] })));
    let all = world.use_tool("find", json!({ "name": "%" })).await.unwrap();
    assert_eq!(all["rows"].as_array().unwrap().len(), 2);
    assert_eq!(all["truncated"], "only 2 of 3 rows are shown: ask for less");
    let none = world.use_tool("find", json!({ "name": "' or 1 = 1 --" })).await;
    assert_eq!(failure(none), ToolFailure::NotFound);
    world.end().await;
}

#[tokio::test]
async fn what_is_known_of_the_call_is_bound() {
    for caller in [None, Some("+441632960001")] {
        let mut ctx = context().with_variables(variables(&given()));
        ctx.caller = caller.map(Into::into);
        ctx.started_at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_772_933_400);
        let mut world = World::with(ctx).await;
        let known = world.use_tool("known", json!({})).await;
        let expected =
            json!({ "session": "test", "caller": caller, "key": 64, "began": 1_772_933_400 });
        assert_eq!(known, Ok(json!({ "rows": [expected] })));
        world.end().await;
    }
}

#[tokio::test]
async fn what_the_call_was_given_is_bound_with_its_type() {
    let mut world = World::new().await;
    let told = world.use_tool("given", json!({})).await;
    let patient = &given()[0].1;
    let expected = json!({ "patient": patient, "visits": 4, "share": 0.5, "again": patient });
    assert_eq!(told, Ok(json!({ "rows": [expected] })));
    world.end().await;
}

#[tokio::test]
async fn virtual_time_waits_for_the_database() {
    let mut ctx = context().with_variables(variables(&given()));
    ctx.connector = ctx.connector.clone().in_virtual_time();
    let mut world = World::with(ctx).await;
    tokio::time::pause();
    let began = tokio::time::Instant::now();
    for _ in 0..20 {
        assert!(world.use_tool("book", slot(1)).await.is_ok());
        assert!(world.use_tool("find", json!({ "name": "Ada" })).await.is_ok());
    }
    assert_eq!(began.elapsed(), Duration::ZERO);
    world.end().await;
}

#[tokio::test]
async fn a_repeated_write_gives_the_first_result_and_writes_once() {
    let mut world = World::new().await;
    let first = world.use_tool("book", slot(1)).await;
    assert_eq!(first, Ok(json!({ "rows": [{ "starts_at": "2026-11-24T08:30:00Z" }] })));
    let again = json!({ "doctor_id": 1.0, "starts_at": "2026-11-24T08:30:00Z" });
    assert_eq!(world.use_tool("book", again).await, first);
    assert_eq!((world.count("slots").await, world.count("tool_calls").await), (1, 1));
    world.end().await;
}

#[tokio::test]
async fn repeats_at_the_same_time_write_once() {
    let mut world = World::new().await;
    let turn = world.turn();
    let mut receivers = Vec::new();
    for _ in 0..12 {
        receivers.push(world.ask(&turn, "book", slot(2)).await);
    }
    for receiver in receivers {
        let result = timeout(PATIENCE, receiver).await.unwrap().unwrap();
        assert_eq!(result, Ok(json!({ "rows": [{ "starts_at": "2026-11-24T08:30:00Z" }] })));
    }
    assert_eq!(world.count("slots").await, 1);
    world.end().await;
}

#[tokio::test]
async fn a_constraint_is_told_by_its_name_and_leaves_nothing() {
    let mut world = World::new().await;
    let mut lease = world.database.acquire().await.unwrap();
    let taken = "insert into slots values (1, '2026-11-24T08:30:00Z', 'another')";
    lease.sqlite().unwrap().execute(taken).await.unwrap();
    drop(lease);
    let expected = ToolError {
        failure: ToolFailure::Named("slot_taken".into()),
        message: "slot taken".into(),
    };
    assert_eq!(world.use_tool("book", slot(1)).await, Err(expected));
    assert_eq!(world.count("tool_calls").await, 0);
    assert_eq!(failure(world.use_tool("book", slot(77)).await), ToolFailure::InvalidArgument);
    assert_eq!(failure(world.use_tool("cancel", slot(2)).await), ToolFailure::NotFound);
    assert_eq!(world.use_tool("cancel", slot(1)).await, Ok(json!({ "changed": 1 })));
    world.end().await;
}

#[tokio::test]
async fn wrong_arguments_and_unknown_tools_are_refused() {
    let mut world = World::new().await;
    let wrong = world.use_tool("book", json!({ "doctor_id": "1 or 1" })).await;
    assert_eq!(failure(wrong), ToolFailure::InvalidArgument);
    assert_eq!(failure(world.use_tool("drop", json!({})).await), ToolFailure::NotFound);
    assert_eq!(world.count("slots").await, 0);
    world.end().await;
}

#[tokio::test]
async fn a_read_cannot_write_and_spoils_no_connection() {
    let mut world = World::new().await;
    assert_eq!(failure(world.use_tool("sly", json!({})).await), ToolFailure::Unavailable);
    assert!(world.use_tool("book", slot(1)).await.is_ok());
    assert_eq!(world.count("doctors").await, 3);
    world.end().await;
}

#[tokio::test]
async fn a_read_ends_at_its_limit() {
    let mut world = World::new().await;
    assert_eq!(failure(world.use_tool("slow", json!({})).await), ToolFailure::Unavailable);
    assert!(world.use_tool("find", json!({ "name": "Ada" })).await.is_ok());
    world.end().await;
}

#[tokio::test]
async fn an_interruption_stops_a_read_and_no_write() {
    let mut world = World::new().await;
    let turn = world.turn();
    let write = world.ask(&turn, "book", slot(1)).await;
    let read = world.ask(&turn, "slow", json!({})).await;
    // Both calls are with the node once a third has been answered.
    let known = world.ask(&turn, "known", json!({})).await;
    timeout(PATIENCE, known).await.unwrap().unwrap().unwrap();
    world.control.interrupt(tokio::time::Instant::now());
    assert!(timeout(PATIENCE, write).await.unwrap().unwrap().is_ok());
    assert!(timeout(PATIENCE, read).await.unwrap().is_err(), "nobody waits for it");
    assert_eq!(world.count("slots").await, 1);
    world.end().await;
}

#[tokio::test]
async fn the_end_of_the_call_finishes_what_writes() {
    for _ in 0..20 {
        let mut world = World::new().await;
        // Another writer is in the way, so that the write has begun and waits when the call ends.
        let mut lease = world.database.acquire().await.unwrap();
        lease.sqlite().unwrap().execute("begin immediate").await.unwrap();
        let turn = world.turn();
        let write = world.ask(&turn, "book", slot(1)).await;
        let known = world.ask(&turn, "known", json!({})).await;
        timeout(PATIENCE, known).await.unwrap().unwrap().unwrap();
        world.cancelled.cancel();
        drop(write);
        lease.sqlite().unwrap().execute("commit").await.unwrap();
        drop(lease);
        timeout(PATIENCE, &mut world.running).await.unwrap().unwrap().unwrap();
        assert_eq!(world.count("slots").await, 1);
    }
}

#[tokio::test]
async fn statements_that_fit_the_schema_are_fine() {
    let world = World::new().await;
    assert_eq!(world.factory.verify().await, [] as [Problem; 0]);
}

#[tokio::test]
async fn statements_are_prepared_and_mistakes_have_a_place() {
    let world = World::new().await;
    let mut lease = world.database.acquire().await.unwrap();
    let lost = "drop table slots; drop table tool_calls";
    lease.sqlite().unwrap().execute(lost).await.unwrap();
    drop(lease);
    let problems = world.factory.verify().await;
    let told: Vec<_> = problems.iter().map(|one| (&*one.path, one.message.as_str())).collect();
    let paths: Vec<_> = told.iter().map(|(path, _)| *path).collect();
    let at = ["[1].sql[0]", "[1].sql[1]", "[1].effect", "[2].sql", "[2].effect"];
    assert_eq!(paths, at.map(|at| format!("tools{at}")));
    assert!(told[0].1.contains("no such table: slots"), "{told:?}");
}

#[tokio::test]
async fn a_database_that_is_not_there_is_told() {
    let url = "sqlite:/nowhere/at/all.db";
    let options: Options = serde_json::from_value(options(url)).unwrap();
    let factory = DbTool::build(options, "dev").unwrap_or_else(|problems| panic!("{problems:?}"));
    let problems = factory.verify().await;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(problems[0].path, "database.url");
}
