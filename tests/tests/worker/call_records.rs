//! What a call leaves in the clinic's database.

use std::time::Duration;

use sqlx::AssertSqlSafe;
use tokio::time::{sleep, timeout};
use voicegraph_database::{Connection, Database};

/// How long a row may take to come. Only a failing test waits as long.
const LIMIT: Duration = Duration::from_secs(30);

/// How often it is looked for.
const STEP: Duration = Duration::from_millis(50);

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
    let looking = async {
        loop {
            let records = text(database, sql).await;
            if !records.is_empty() {
                return records;
            }
            sleep(STEP).await;
        }
    };
    timeout(LIMIT, looking).await.expect("a record of the call is written")
}
