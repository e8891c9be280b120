//! What SQL gives of a database, whichever kind it is.

use sqlx::AssertSqlSafe;
use voicegraph_database::{Connection, Database};

/// A test asks only what its database can answer.
const ANSWER: &str = "the database answers";

/// The one number that SQL gives.
///
/// # Panics
/// Where the database refuses.
pub async fn number(database: &Database, sql: &str) -> i64 {
    let mut lease = database.acquire().await.expect(ANSWER);
    let query = AssertSqlSafe(sql.to_owned());
    match lease.connection() {
        Connection::Postgres(it) => {
            sqlx::query_scalar(query).fetch_one(&mut **it).await.expect(ANSWER)
        }
        Connection::Sqlite(it) => {
            sqlx::query_scalar(query).fetch_one(&mut **it).await.expect(ANSWER)
        }
    }
}

/// The one column of text that SQL gives.
///
/// # Panics
/// Where the database refuses.
pub async fn text(database: &Database, sql: &str) -> Vec<String> {
    let mut lease = database.acquire().await.expect(ANSWER);
    let query = AssertSqlSafe(sql.to_owned());
    match lease.connection() {
        Connection::Postgres(it) => {
            sqlx::query_scalar(query).fetch_all(&mut **it).await.expect(ANSWER)
        }
        Connection::Sqlite(it) => {
            sqlx::query_scalar(query).fetch_all(&mut **it).await.expect(ANSWER)
        }
    }
}
