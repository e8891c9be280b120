//! What calls leave in the clinic's database.

use std::time::Duration;

use voicegraph_database::Database;
use voicegraph_tests::poll::poll;
use voicegraph_tests::rows::text;

/// How long a row may take to come. Only a failing test waits as long.
const LIMIT: Duration = Duration::from_secs(30);

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
