//! The record of a call, as a row of the table `call_records`.
//!
//! In comes a call that is over; out goes one row, or a count of one more that was lost. A repeat
//! finds the row and changes nothing, so a commit without an answer is simply tried again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::DateTime;
use sqlx::{Executor, IntoArguments, Postgres, SqlStr, Sqlite};
use tokio::time::sleep;
use voicegraph_database::{Connection, Database, DatabaseError};
use voicegraph_engine::call::{CallRecord, Unrecorded};
use voicegraph_engine::connect::Connector;
use voicegraph_engine::resource::{Figure, Measure};

use super::dialect::Speech;
use super::job::HalfWay;
use super::value::{Type, Value};

/// How often a row is tried where the database is away or another transaction is in the way.
const MAX_ATTEMPTS: u32 = 4;

/// The pause before the second attempt; it doubles from then on.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Writes records, and counts those that it could not write.
#[derive(Debug, Default)]
pub(super) struct Records {
    lost: AtomicU64,
}

/// A record that is lost unless it is written, also where the writing is given up.
struct Pending<'a> {
    lost: &'a AtomicU64,
    written: bool,
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if !self.written {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Records {
    /// How many records were lost so far. One whose writing was given up counts, though its row may
    /// be there.
    pub(super) fn figure(&self) -> Figure {
        Figure {
            name: "voicegraph_database_call_records_lost_total",
            help: "Calls whose record could not be written.",
            measure: Measure::Counter(self.lost.load(Ordering::Relaxed)),
        }
    }

    /// Writes the row. It is given up by dropping it.
    pub(super) async fn keep(
        &self,
        database: &Database,
        call: &CallRecord,
        connector: &Connector,
    ) -> Result<(), Unrecorded> {
        let mut pending = Pending { lost: &self.lost, written: false };
        let row = row(call);
        let unrecorded = |error: DatabaseError| Unrecorded(error.to_string());
        let changed = write(database, &row, connector).await.map_err(unrecorded)?;
        pending.written = changed > 0;
        let taken = || Unrecorded("an earlier call has the same session_id".to_owned());
        pending.written.then_some(()).ok_or_else(taken)
    }
}

/// The values of the row, in the order of [`Speech::RECORD`].
fn row(call: &CallRecord) -> [Value; 7] {
    let text = |text: &str| Value::Text(text.to_owned());
    let at = |at| Value::DateTime(DateTime::from(at));
    let end = &call.end;
    [
        text(&end.session_id),
        text(&call.pipeline),
        call.caller.as_deref().map_or(Value::Null(Type::Text), text),
        at(call.started_at),
        at(call.started_at + end.duration),
        text(end.reason.name()),
        Value::Integer(call.turns.into()),
    ]
}

/// Tries to write the row, a few times; how many rows there were to be written or found: none where
/// another call's stands in its place.
async fn write(
    database: &Database,
    row: &[Value],
    connector: &Connector,
) -> Result<u64, DatabaseError> {
    let mut pause = FIRST_PAUSE;
    for _ in 1..MAX_ATTEMPTS {
        match attempt(database, row, connector).await {
            Err(DatabaseError::Unavailable(_) | DatabaseError::Conflict { .. }) => {}
            result => return result,
        }
        // Virtual time is not held here, or the pause would have no end.
        sleep(pause).await;
        pause *= 2;
    }
    attempt(database, row, connector).await
}

async fn attempt(
    database: &Database,
    row: &[Value],
    connector: &Connector,
) -> Result<u64, DatabaseError> {
    let _hold = connector.hold_time();
    let mut lease = database.acquire().await?;
    let mut half_way = HalfWay { lease: &mut lease, over: false };
    let inserted = match half_way.lease.connection() {
        Connection::Postgres(connection) => insert::<Postgres>(connection, row).await,
        Connection::Sqlite(connection) => insert::<Sqlite>(connection, row).await,
    };
    half_way.over = inserted.is_ok();
    Ok(inserted?)
}

async fn insert<DB>(connection: &mut DB::Connection, row: &[Value]) -> Result<u64, sqlx::Error>
where
    DB: Speech,
    for<'e> &'e mut DB::Connection: Executor<'e, Database = DB>,
    DB::Arguments: IntoArguments<DB>,
{
    const WRITES: usize = 1;
    if !DB::READY[WRITES].is_empty() {
        connection.execute(sqlx::query(SqlStr::from_static(DB::READY[WRITES]))).await?;
    }
    let values: Vec<&Value> = row.iter().collect();
    let arguments = DB::bind(&values).map_err(sqlx::Error::Encode)?;
    let query = sqlx::query_with(SqlStr::from_static(DB::RECORD), arguments);
    Ok(DB::changed(&connection.execute(query).await?))
}
