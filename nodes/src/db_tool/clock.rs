//! The time of day, by the database's clock: the one that its own rows are dated by.

use chrono::{DateTime, Utc};
use sqlx::{Executor, Postgres, Row, Sqlite};
use voicegraph_database::{Connection, Database, DatabaseError};

use super::dialect::Speech;
use super::value::date_time;

/// The database's time.
pub(super) async fn now(database: &Database) -> Result<DateTime<Utc>, DatabaseError> {
    let mut lease = database.acquire().await?;
    match lease.connection() {
        Connection::Postgres(connection) => {
            let row = connection.fetch_one(<Postgres as Speech>::NOW).await?;
            Ok(row.try_get(0)?)
        }
        Connection::Sqlite(connection) => {
            let row = connection.fetch_one(<Sqlite as Speech>::NOW).await?;
            let text: String = row.try_get(0)?;
            Ok(date_time(&text).ok_or(sqlx::Error::RowNotFound)?)
        }
    }
}
