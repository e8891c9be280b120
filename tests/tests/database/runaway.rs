//! Statements without an end on SQLite, which has no server that would stop them: who gives one up
//! is rid of it, and so are the file and the processor.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;
use voicegraph_database::{Database, Options as OpenOptions};
use voicegraph_engine::message::ToolFailure;
use voicegraph_engine::node::{Kind, NodeFactory};
use voicegraph_nodes::db_tool::{DbTool, Options};

use crate::place::{self, Place, number, run};
use crate::pool::pool;
use crate::tools::Caller;

/// How long what must happen may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(20);

/// Numbers without end.
const NUMBERS: &str = "with recursive n (i) as (select 1 union all select i + 1 from n)";

/// Counts them, and holds on to what the tables were when it began.
pub(crate) const ENDLESS: &str = "with recursive n (i) as (select 1 union all select i + 1 from n)
                                  select count(*) + (select count(*) from patients) from n";

fn factory(place: &Place) -> Arc<dyn NodeFactory> {
    let tool = |effect: &str, timeout_ms: u32, sql: String| {
        json!({
            "name": effect, "description": "Never ends.", "effect": effect,
            "timeout_ms": timeout_ms, "sql": sql,
        })
    };
    let read = tool("read", 60_000, ENDLESS.to_owned());
    let insert = format!("insert into patients (name) {NUMBERS} select 'Ada' from n where i < 0");
    let mut late = tool("read", 200, ENDLESS.to_owned());
    late["name"] = "late".into();
    let tools = json!([read, tool("write", 200, insert), late]);
    let options = json!({ "database": { "url": place.url }, "tools": tools });
    let options: Options = serde_json::from_value(options).unwrap();
    DbTool::build(options, "staging").unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// Waits until a statement reads: the log cannot be emptied while somebody needs an older state.
pub(crate) async fn until_read(place: &Place) {
    let options = OpenOptions { statement_timeout_ms: 10, ..place.options() };
    let database = Database::open(options.build("dev").unwrap());
    let read = async {
        for version in 1.. {
            run(&database, &format!("pragma user_version = {version}")).await.unwrap();
            if number(&database, "pragma wal_checkpoint(truncate)").await == 1 {
                break;
            }
        }
    };
    timeout(LIMIT, read).await.expect("a statement reads");
    database.close().await;
}

/// Waits until no connection of this process has the file open: each has a thread, which closes it
/// when it ends.
async fn until_closed(place: &Place) {
    let closed = async {
        while place.open_files() > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(LIMIT, closed).await.expect("the statement's thread ends");
}

#[tokio::test]
async fn a_tool_ends_in_its_time_and_its_statement_with_it() {
    let place = place::sqlite();
    place.migrated().await.close().await;
    for tool in ["late", "write"] {
        let mut caller = Caller::new(&factory(&place), "a");
        let told = timeout(LIMIT, caller.use_tool(tool, json!({}))).await.expect("in time");
        assert_eq!(told.unwrap_err().failure, ToolFailure::Unavailable, "{tool}");
        until_closed(&place).await;
        caller.end().await;
    }
    let database = Database::open(place.settings());
    run(&database, "insert into patients (name, phone) values ('Ada', '+441632960001')")
        .await
        .unwrap();
    assert_eq!(number(&database, "select count(*) from patients").await, 1);
}

#[tokio::test]
async fn an_interrupted_read_stops() {
    let place = place::sqlite();
    place.migrated().await.close().await;
    let mut caller = Caller::new(&factory(&place), "a");
    let result = caller.ask("read", json!({})).await;
    until_read(&place).await;
    caller.interrupt();
    timeout(LIMIT, result).await.expect("in time").expect_err("nobody answers");
    until_closed(&place).await;
    caller.end().await;
}

#[tokio::test]
async fn a_connection_given_back_in_the_middle_is_replaced() {
    let place = place::sqlite();
    let database = pool(&place, 1, 0);
    place.migrated().await.close().await;
    tokio::select! {
        biased;
        ended = run(&database, ENDLESS) => panic!("{ended:?}"),
        () = until_read(&place) => {}
    }
    assert_eq!(number(&database, "select 1").await, 1);
    database.close().await;
    until_closed(&place).await;
}
