//! What calls leave in the clinic's database.

use std::time::Duration;

use sqlx::AssertSqlSafe;
use voicegraph_database::{Connection, Database};
use voicegraph_tests::poll::poll;

/// How long a row may take to come. Only a failing test waits as long.
const LIMIT: Duration = Duration::from_secs(30);

/// The one column of text that SQL gives.
pub(crate) async fn text(database: &Database, sql: &str) -> Vec<String> {
    let mut lease = database.acquire().await.unwrap();
    let query = AssertSqlSafe(sql.to_owned());
    match lease.connection() {
        Connection::Postgres(it) => sqlx::query_scalar(query).fetch_all(&mut **it).await.unwrap(),
        Connection::Sqlite(it) => sqlx::query_scalar(query).fetch_all(&mut **it).await.unwrap(),
    }
}

/// The records of calls that have ended, once there is one: caller and reason.
pub(crate) async fn records(database: &Database) -> Vec<String> {
    let sql = "select caller || ' ' || end_reason from call_records where ended_at is not null";
    let found = async || Some(text(database, sql).await).filter(|records| !records.is_empty());
    poll(LIMIT, found).await.expect("a record of the call is written")
}

/// Why the calls so far ended, by the order in which they ended.
pub(crate) async fn reasons(database: &Database) -> Vec<String> {
    text(database, "select end_reason from call_records order by ended_at").await
}
