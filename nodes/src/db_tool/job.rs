//! One call of a tool, from its arguments to its result: connections, limits in time, repeats.

use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::Value as Json;
use sqlx::{Postgres, Sqlite};
use tokio::time::{Instant, sleep, timeout_at};
use voicegraph_database::{Connection, Database, DatabaseError, Lease, Unavailable};
use voicegraph_engine::connect::Connector;

use super::failure::Failure;
use super::transaction::{Open, Work};

/// How long the end of a write may take beyond the tool's `timeout_ms`: the commit's answer, and
/// where none comes, to find out what became of it. A call that ends waits for both.
pub(super) const END_LIMIT: Duration = Duration::from_millis(1_500);

/// How often a transaction is tried that lost against another, or whose outcome is unknown.
const MAX_ATTEMPTS: u32 = 8;

/// The pause before the second attempt; it doubles from then on.
const FIRST_PAUSE: Duration = Duration::from_millis(25);

/// How an attempt ended.
enum Attempt {
    Over(Result<Json, Failure>),
    /// Undone by the database for another's sake.
    Again(DatabaseError),
    /// A commit without an answer.
    Unknown(DatabaseError),
}

/// Runs the work to its end. It is cancelled by dropping it, which is for reads alone.
pub(super) async fn run(
    database: &Database,
    work: &Work<'_>,
    connector: &Connector,
) -> Result<Json, Failure> {
    let deadline = Instant::now() + work.tool.timeout;
    let mut pause = FIRST_PAUSE;
    let mut unknown = None;
    for _ in 0..MAX_ATTEMPTS {
        let limit = if unknown.is_some() { deadline + END_LIMIT } else { deadline };
        let attempted = {
            // Not over the pause, which would have no end in virtual time.
            let _hold = connector.hold_time();
            attempt(database, work, limit, deadline + END_LIMIT).await
        };
        match attempted {
            // Not to have reached the database says nothing of the commit before.
            Attempt::Over(Err(failure)) if unknown.is_some() && !is_answer(&failure) => {}
            Attempt::Over(result) => return result,
            Attempt::Again(error) if unknown.is_none() && Instant::now() + pause >= deadline => {
                return Err(Failure::Database(error));
            }
            Attempt::Again(_) => {}
            Attempt::Unknown(error) => unknown = Some(error),
        }
        if Instant::now() + pause >= deadline + END_LIMIT {
            break;
        }
        sleep(pause).await;
        pause *= 2;
    }
    Err(unknown.map_or(Failure::TimedOut, Failure::Unknown))
}

/// Whether the database itself spoke of this transaction.
fn is_answer(failure: &Failure) -> bool {
    !matches!(
        failure,
        Failure::TimedOut
            | Failure::Database(DatabaseError::Unavailable(_) | DatabaseError::Timeout { .. })
    )
}

async fn attempt(database: &Database, work: &Work<'_>, deadline: Instant, end: Instant) -> Attempt {
    let mut lease = match timeout_at(deadline, database.acquire()).await {
        Ok(Ok(lease)) => lease,
        Ok(Err(error)) => return Attempt::Over(Err(error.into())),
        Err(_) => return Attempt::Over(Err(Failure::TimedOut)),
    };
    // Whatever ends the attempt half-way leaves a connection with a transaction in it.
    let mut half_way = HalfWay { lease: &mut lease, over: false };
    let attempt = transact(half_way.lease, work, deadline, end).await;
    half_way.over = !matches!(
        attempt,
        Attempt::Unknown(_) | Attempt::Over(Err(Failure::TimedOut | Failure::Database(_)))
    );
    attempt
}

/// Has the connection closed unless the attempt came to its end, also where it is cancelled.
pub(super) struct HalfWay<'a> {
    pub(super) lease: &'a mut Lease,
    pub(super) over: bool,
}

impl Drop for HalfWay<'_> {
    fn drop(&mut self) {
        if !self.over {
            self.lease.spoil();
        }
    }
}

async fn transact(lease: &mut Lease, work: &Work<'_>, deadline: Instant, end: Instant) -> Attempt {
    match lease.connection() {
        Connection::Postgres(connection) => {
            let begun: BoxFuture<'_, _> = Box::pin(work.begin::<Postgres>(connection));
            let open = timeout_at(deadline, begun).await;
            finish(open, end, |transaction| transaction.commit()).await
        }
        Connection::Sqlite(connection) => {
            let begun: BoxFuture<'_, _> = Box::pin(work.begin::<Sqlite>(connection));
            let open = timeout_at(deadline, begun).await;
            finish(open, end, |transaction| transaction.commit()).await
        }
    }
}

/// Commits what was done.
async fn finish<'c, DB, C, F>(
    open: Result<Result<Open<'c, DB>, Failure>, tokio::time::error::Elapsed>,
    end: Instant,
    commit: C,
) -> Attempt
where
    DB: super::dialect::Speech,
    C: FnOnce(sqlx::Transaction<'c, DB>) -> F,
    F: Future<Output = Result<(), sqlx::Error>>,
{
    let (transaction, result) = match open {
        Err(_) => return Attempt::Over(Err(Failure::TimedOut)),
        Ok(Err(Failure::Database(error @ DatabaseError::Conflict { .. }))) => {
            return Attempt::Again(error);
        }
        Ok(Err(failure)) => return Attempt::Over(Err(failure)),
        Ok(Ok(Open::Repeated(result))) => return Attempt::Over(Ok(result)),
        Ok(Ok(Open::Done(transaction, result))) => (transaction, result),
    };
    match timeout_at(end, commit(transaction)).await {
        Ok(Ok(())) => Attempt::Over(Ok(result)),
        Ok(Err(error)) => match DatabaseError::from(error) {
            error @ DatabaseError::Conflict { .. } => Attempt::Again(error),
            // A deferred constraint speaks here.
            error @ DatabaseError::Constraint { .. } => Attempt::Over(Err(error.into())),
            error => Attempt::Unknown(error),
        },
        Err(_) => Attempt::Unknown(DatabaseError::Unavailable(Unavailable::Lost)),
    }
}
