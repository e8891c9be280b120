//! What remains of a call: one row of `call_records`, in both dialects, or one more that is counted
//! as lost.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::json;
use sqlx::Executor as _;
use tokio::time::{Instant, timeout};
use voicegraph_engine::call::{CallEnd, CallRecord, EndReason, RECORD_LIMIT, Unrecorded};
use voicegraph_engine::connect::{Connector, Roots};
use voicegraph_engine::node::{Kind, NodeFactory};
use voicegraph_engine::resource::Measure;
use voicegraph_nodes::db_tool::{DbTool, Options};
use voicegraph_simulators::{Folder, Script};
use voicegraph_tests::typed::{Line, Typed};

use crate::place::{self, Place, number, text};

/// 2026-03-09T08:00:00.25Z.
const STARTED_AT: Duration = Duration::from_millis(1_773_043_200_250);

const ROWS: &str = "select count(*) from call_records";

/// How much longer than it should something may take on a busy machine.
const BUSY: Duration = Duration::from_secs(20);

fn options(place: &Place, call_records: bool) -> Options {
    let tools = json!([
        { "name": "t", "description": "Reads.", "effect": "read", "sql": "select 1 as one" },
        {
            "name": "w", "description": "Writes.", "effect": "write",
            "sql": "delete from patients where phone is null",
        },
    ]);
    let database = json!({ "url": place.url, "root_certificates": place.authority });
    let options = json!({ "database": database, "tools": tools, "call_records": call_records });
    serde_json::from_value(options).unwrap()
}

fn factory(place: &Place) -> Arc<dyn NodeFactory> {
    DbTool::build(options(place, true), place.environment).unwrap_or_else(|it| panic!("{it:?}"))
}

fn call(session_id: &str, caller: Option<&str>, reason: EndReason) -> CallRecord {
    let duration = Duration::from_millis(61_500);
    CallRecord {
        end: CallEnd { session_id: session_id.into(), reason, duration },
        pipeline: "clinic".into(),
        caller: caller.map(Into::into),
        started_at: SystemTime::UNIX_EPOCH + STARTED_AT,
        turns: 7,
    }
}

async fn record(factory: &Arc<dyn NodeFactory>, call: &CallRecord) -> Result<(), Unrecorded> {
    factory.record(call, &Connector::new(&Roots::default())).await
}

/// The counter of lost records; `None` where there is none.
fn lost(factory: &Arc<dyn NodeFactory>) -> Option<u64> {
    let figures = factory.resource().expect("a database").figures();
    let figure = figures.iter().find(|it| it.name == "voicegraph_database_call_records_lost_total");
    figure.map(|figure| match figure.measure {
        Measure::Counter(count) => count,
        _ => panic!("{figure:?}"),
    })
}

#[tokio::test]
async fn the_row_says_what_is_known_of_the_call() {
    for place in place::both().await {
        let database = place.migrated().await;
        let factory = factory(&place);
        assert_eq!(factory.verify().await, [], "{:?}", place.dialect);
        let failed = EndReason::NodeFailed { node: "llm".into(), error: "is full".to_owned() };
        let calls = [
            call("a", Some("+441632960101"), EndReason::HungUp),
            call("b", None, failed),
            call("c", Some("'); --"), EndReason::NodePanicked { node: "stt".into() }),
        ];
        for call in &calls {
            record(&factory, call).await.unwrap();
        }
        let at = |column: &str| match place.dialect {
            voicegraph_database::Dialect::Postgres => {
                format!("to_char({column} at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')")
            }
            voicegraph_database::Dialect::Sqlite => column.to_owned(),
        };
        let rows = format!(
            "select session_id || ' ' || pipeline || ' ' || coalesce(caller, 'nobody') || ' '
             || {} || ' ' || {} || ' ' || end_reason || ' ' || turns
             from call_records order by session_id",
            at("started_at"),
            at("ended_at"),
        );
        let span = "2026-03-09T08:00:00Z 2026-03-09T08:01:01Z";
        let expected = [
            format!("a clinic +441632960101 {span} hung_up 7"),
            format!("b clinic nobody {span} node_failed 7"),
            format!("c clinic '); -- {span} node_panicked 7"),
        ];
        assert_eq!(text(&database, &rows).await, expected, "{:?}", place.dialect);
        assert_eq!(lost(&factory), Some(0));
    }
}

#[tokio::test]
async fn a_repeat_is_one_row_and_another_call_with_its_id_is_not_lost_in_silence() {
    for place in place::both().await {
        let database = place.migrated().await;
        let factory = factory(&place);
        let first = call("a", None, EndReason::Finished);
        for _ in 0..2 {
            record(&factory, &first).await.unwrap();
        }
        assert_eq!((number(&database, ROWS).await, lost(&factory)), (1, Some(0)));
        let later = first.started_at + Duration::from_secs(60);
        let other = CallRecord { started_at: later, turns: 9, ..first };
        let error = record(&factory, &other).await.expect_err("the id is taken");
        assert_eq!(error.to_string(), "an earlier call has the same session_id");
        assert_eq!((number(&database, ROWS).await, lost(&factory)), (1, Some(1)));
        assert_eq!(number(&database, "select sum(turns) from call_records").await, 7);
    }
}

#[tokio::test]
async fn a_record_comes_after_a_tool_that_reads_on_the_same_connection() {
    for place in place::both().await {
        let database = place.migrated().await;
        let factory = factory(&place);
        let mut caller = crate::tools::Caller::new(&factory, "a");
        caller.use_tool("t", json!({})).await.unwrap();
        caller.end().await;
        record(&factory, &call("a", None, EndReason::Finished)).await.unwrap();
        assert_eq!(number(&database, ROWS).await, 1, "{:?}", place.dialect);
    }
}

#[tokio::test]
async fn without_the_option_nothing_is_written_or_shown() {
    let place = place::sqlite();
    let database = place.migrated().await;
    let factory = DbTool::build(options(&place, false), "staging").unwrap_or_else(|_| panic!());
    record(&factory, &call("a", None, EndReason::Finished)).await.unwrap();
    assert_eq!((number(&database, ROWS).await, lost(&factory)), (0, None));
}

#[tokio::test]
async fn a_database_that_is_down_costs_the_record_and_is_counted() {
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    let url = format!("postgres://voicegraph:not-a-secret@127.0.0.1:{port}/clinic");
    let place = Place::of(voicegraph_database::Dialect::Postgres, url, None);
    let factory = factory(&place);
    let (began, call) = (Instant::now(), call("a", Some("+44"), EndReason::Finished));
    let error = record(&factory, &call).await.expect_err("it is down");
    assert!(error.to_string().starts_with("the database cannot be reached"), "{error}");
    assert!(began.elapsed() < RECORD_LIMIT, "{:?}", began.elapsed());
    assert_eq!(lost(&factory), Some(1));
}

#[tokio::test]
async fn a_record_that_is_given_up_is_counted() {
    let place = place::sqlite();
    let database = place.migrated().await;
    let mut lease = database.acquire().await.unwrap();
    lease.sqlite().unwrap().execute("begin immediate").await.unwrap();
    let factory = factory(&place);
    let call = call("a", None, EndReason::Finished);
    let given_up = timeout(Duration::from_millis(100), record(&factory, &call)).await;
    assert!(given_up.is_err(), "somebody else writes: {given_up:?}");
    assert_eq!(lost(&factory), Some(1));
    // And what comes later finds a connection that is as it should be.
    lease.sqlite().unwrap().execute("commit").await.unwrap();
    record(&factory, &call).await.unwrap();
    assert_eq!((number(&database, ROWS).await, lost(&factory)), (1, Some(1)));
}

#[tokio::test]
async fn a_table_that_is_missing_is_told_at_start() {
    for place in place::both().await {
        place.migrated().await.close().await;
        place.run("drop table call_records").await.unwrap();
        let [problem] = &factory(&place).verify().await[..] else { panic!("one problem") };
        assert_eq!(problem.path, "call_records");
        assert!(problem.message.contains("call_records"), "{problem:?}");
        assert_eq!(problem.help.as_deref(), Some("run `voicegraph migrate up`"));
        let silent = DbTool::build(options(&place, false), place.environment);
        let silent = silent.unwrap_or_else(|it| panic!("{it:?}"));
        assert_eq!(silent.verify().await, [], "{:?}", place.dialect);
    }
}

const SCRIPT: &str = r#"
[[openai.rules]]
user = "hello"
reply = "How may I help?"

[[openai.rules]]
user = "good bye"
reply = "Good bye."
"#;

#[tokio::test]
async fn a_call_of_the_clinic_leaves_its_record() {
    let place = place::sqlite();
    let database = place.migrated().await;
    let script = Script::from_toml(SCRIPT, &Folder(".".into())).unwrap();
    let line = |text: &str| Line { text: text.to_owned(), interrupt_after_us: None };
    let typed = Typed {
        lines: vec![line("Hello."), line("Good bye.")],
        caller: Some("+441632960101".to_owned()),
        database_url: place.url.clone(),
        seed: 5,
    };
    let read = timeout(BUSY, typed.call(&script)).await.expect("the call ends");
    let rows = "select session_id || ' ' || caller || ' ' || started_at || ' ' || end_reason
                || ' ' || turns from call_records";
    let (id, reason) = (&read.end.session_id, read.end.reason.name());
    let expected = format!("{id} +441632960101 2026-03-09T08:00:00Z {reason} 2");
    assert_eq!(text(&database, rows).await, [expected]);
}

/// A call whose database is gone by its end ends as it would have, and no later than it may.
#[tokio::test]
async fn a_call_ends_in_time_without_its_database() {
    let place = place::sqlite();
    let database = place.migrated().await;
    let mut lease = database.acquire().await.unwrap();
    lease.sqlite().unwrap().execute("begin immediate").await.unwrap();
    let script = Script::from_toml(SCRIPT, &Folder(".".into())).unwrap();
    let line = Line { text: "Hello.".to_owned(), interrupt_after_us: None };
    let typed = Typed { lines: vec![line], caller: None, database_url: place.url.clone(), seed: 6 };
    let began = Instant::now();
    let read = timeout(BUSY, typed.call(&script)).await.expect("the call ends");
    let after = began.elapsed() - read.end.duration;
    assert!(after >= RECORD_LIMIT && after < RECORD_LIMIT + BUSY, "{after:?}");
    assert!(read.end.reason.is_ok(), "{:?}", read.end);
    lease.sqlite().unwrap().execute("rollback").await.unwrap();
    assert_eq!(number(&database, ROWS).await, 0);
}
