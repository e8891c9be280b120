//! What calls leave in the clinic's database.

use voicegraph_database::{Connection, Database};

/// Why the calls so far ended, by the order in which they ended.
pub(super) async fn reasons(database: &Database) -> Vec<String> {
    let query = "select end_reason from call_records order by ended_at";
    let mut lease = database.acquire().await.unwrap();
    match lease.connection() {
        Connection::Postgres(it) => sqlx::query_scalar(query).fetch_all(&mut **it).await.unwrap(),
        Connection::Sqlite(it) => sqlx::query_scalar(query).fetch_all(&mut **it).await.unwrap(),
    }
}
