//! A connection on loan.

use std::sync::Arc;

use sqlx::{Executor, PgConnection, SqliteConnection};
use tokio::sync::OwnedSemaphorePermit;

use super::Pool;
use crate::connection::Connection;
use crate::error::DatabaseError;
use crate::options::Dialect;

/// A connection on loan. Dropping it gives it back: it is kept where fewer than `max_kept` are idle
/// and closed otherwise. A transaction of sqlx that was not committed is rolled back before
/// anybody else gets the connection.
///
/// Who writes to SQLite begins with `begin_with("begin immediate")`: a transaction that reads first
/// and writes then loses against any writer in between, without the busy timeout's wait.
#[derive(Debug)]
pub struct Lease {
    /// `None` only while it is dropped.
    connection: Option<Connection>,
    spoilt: bool,
    pool: Arc<Pool>,
    /// Given back after the connection, so that the next in line finds it.
    _permit: OwnedSemaphorePermit,
}

impl Lease {
    pub(super) fn new(
        connection: Connection,
        pool: Arc<Pool>,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        Self { connection: Some(connection), spoilt: false, pool, _permit: permit }
    }

    /// Whose SQL it speaks.
    pub fn dialect(&self) -> Dialect {
        self.pool.settings.dialect()
    }

    /// The connection.
    pub fn connection(&mut self) -> &mut Connection {
        self.connection.as_mut().expect("taken only by drop")
    }

    /// The connection, where it is to PostgreSQL.
    pub fn postgres(&mut self) -> Option<&mut PgConnection> {
        match self.connection() {
            Connection::Postgres(connection) => Some(connection),
            Connection::Sqlite(_) => None,
        }
    }

    /// The connection, where it is to SQLite.
    pub fn sqlite(&mut self) -> Option<&mut SqliteConnection> {
        match self.connection() {
            Connection::Sqlite(connection) => Some(connection),
            Connection::Postgres(_) => None,
        }
    }

    /// Has the connection closed instead of kept when the lease is dropped: for one whose state is
    /// in doubt, such as after a statement that was given up half-way.
    pub fn spoil(&mut self) {
        self.spoilt = true;
    }

    /// Asks what cannot fail. A connection that did not answer is not kept, also where the wait for
    /// its answer was given up.
    pub(super) async fn ask(&mut self) -> Result<(), DatabaseError> {
        self.spoilt = true;
        match self.connection() {
            Connection::Postgres(connection) => connection.execute("select 1").await.map(drop),
            Connection::Sqlite(connection) => connection.execute("select 1").await.map(drop),
        }?;
        self.spoilt = false;
        Ok(())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let connection = self.connection.take().expect("dropped once");
        if !self.spoilt {
            drop(self.pool.idle.keep(connection));
        }
    }
}
