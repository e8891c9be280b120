//! The pool: kept connections, overflow under load, waiters in order.
//!
//! ```text
//!   acquire ─> permit (first come, first served) ─> idle one, pinged ──> Lease
//!              max_kept + max_overflow of them        none alive: open ─┘   │
//!                                                     (a few at a time)     │
//!                                idle, while fewer than max_kept <── drop ──┤
//!                                              closed otherwise <───────────┘
//! ```
//!
//! sqlx's own pool closes by age and not by number, opens its minimum whether needed or not, and
//! hides why a connection failed behind a time-out. What is left, to wait in order and to count, is
//! little, so it stands here.

mod figures;
mod idle;
mod lease;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout, timeout_at};

use crate::connection::Connection;
use crate::error::{DatabaseError, Unavailable};
use crate::options::{Dialect, Settings};
use figures::Counters;
pub use figures::Figures;
use idle::Idle;
pub use lease::Lease;

/// How long an idle connection may take for a sign of life before a new one is opened instead.
const PING_LIMIT: Duration = Duration::from_secs(1);

/// How many connections are opened at once. A log-in with TLS is work for both ends: where a burst
/// of calls opens one each, all of them are late, and none is left to be used. With a few at a time
/// the first is soon given back and serves those who wait (fifty calls at once on two cores: all
/// were late, and are served).
const MAX_OPENING: usize = 4;

/// How long idle connections may take together to be closed in good order.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

/// A database: its pool of connections. Clones share the pool.
#[derive(Clone, Debug)]
pub struct Database {
    pool: Arc<Pool>,
}

/// What clones and leases share.
#[derive(Debug)]
pub(crate) struct Pool {
    settings: Settings,
    permits: Arc<Semaphore>,
    opening: Semaphore,
    idle: Idle,
    counters: Counters,
}

impl Database {
    /// A pool that opens its first connection when one is asked for.
    pub fn open(settings: Settings) -> Self {
        let permits = Arc::new(Semaphore::new(settings.max_open));
        let idle = Idle::new(settings.max_kept);
        let (opening, counters) = (Semaphore::new(MAX_OPENING), Counters::default());
        Self { pool: Arc::new(Pool { settings, permits, opening, idle, counters }) }
    }

    /// Whose SQL it speaks.
    pub fn dialect(&self) -> Dialect {
        self.pool.settings.dialect()
    }

    /// A living connection, given back when the lease is dropped. Those who wait are served in the
    /// order in which they came. Cancelling it leaves nothing behind.
    ///
    /// # Errors
    /// [`DatabaseError::Timeout`] where none came free in time, [`DatabaseError::Unavailable`]
    /// where none could be opened.
    pub async fn acquire(&self) -> Result<Lease, DatabaseError> {
        let (began, counters) = (Instant::now(), &self.pool.counters);
        let until = began + self.pool.settings.acquire_timeout;
        let acquiring = async {
            let queue = counters.queue();
            let permit = self.permit(until).await?;
            drop(queue);
            self.lease(permit, until).await
        };
        let lease = acquiring.await;
        match &lease {
            Ok(_) => counters.acquired(began.elapsed()),
            Err(DatabaseError::Timeout { .. }) => counters.timed_out(),
            Err(_) => {}
        }
        lease
    }

    /// Asks the database a question that it cannot fail, within `limit`, and says how long that
    /// took. It waits in line like others, but its waits are not among the figures, which tell how
    /// long calls wait.
    ///
    /// # Errors
    /// Where no answer came.
    pub async fn health(&self, limit: Duration) -> Result<Duration, DatabaseError> {
        let began = Instant::now();
        let asked = async {
            let until = began + limit;
            let permit = self.permit(until).await?;
            self.lease(permit, until).await?.ask().await
        };
        let late = DatabaseError::Timeout { what: "the health check" };
        timeout(limit, asked).await.unwrap_or(Err(late))?;
        Ok(began.elapsed())
    }

    /// The pool's figures at this instant.
    pub fn figures(&self) -> Figures {
        let pool = &self.pool;
        let in_use = pool.settings.max_open - pool.permits.available_permits();
        pool.counters.figures(in_use, pool.idle.len(), pool.settings.max_kept)
    }

    /// Closes the idle connections, and those in use when they are given back. Who waits or comes
    /// later gets [`Unavailable::Closed`].
    pub async fn close(&self) {
        self.pool.permits.close();
        let farewells = self.pool.idle.close().into_iter().map(Connection::close);
        // What fails to say farewell is closed all the same.
        let _ = timeout(CLOSE_LIMIT, futures_util::future::join_all(farewells)).await;
    }

    async fn permit(&self, until: Instant) -> Result<OwnedSemaphorePermit, DatabaseError> {
        let permit = timeout_at(until, Arc::clone(&self.pool.permits).acquire_owned()).await;
        let late = |_| DatabaseError::Timeout { what: "the wait for a connection" };
        permit.map_err(late)?.map_err(|_| DatabaseError::Unavailable(Unavailable::Closed))
    }

    async fn lease(
        &self,
        permit: OwnedSemaphorePermit,
        until: Instant,
    ) -> Result<Lease, DatabaseError> {
        let connection = timeout_at(until, self.pool.connection()).await;
        let late = |_| DatabaseError::Timeout { what: "the opening of a connection" };
        Ok(Lease::new(connection.map_err(late)??, Arc::clone(&self.pool), permit))
    }
}

impl Pool {
    /// An idle connection that shows a sign of life, else whichever comes first: one that is given
    /// back, or a new one. One dead connection is enough to open a new one: the rest may be as dead
    /// and as slow to show it.
    async fn connection(&self) -> Result<Connection, DatabaseError> {
        let idle = tokio::select! {
            biased;
            idle = self.idle.next() => idle,
            turn = self.turn() => return self.open(turn).await,
        };
        match self.alive(idle).await {
            Some(alive) => Ok(alive),
            None => self.open(self.turn().await).await,
        }
    }

    /// Waits for the turn to open a connection.
    async fn turn(&self) -> SemaphorePermit<'_> {
        self.opening.acquire().await.expect("this semaphore is never closed")
    }

    async fn open(&self, _turn: SemaphorePermit<'_>) -> Result<Connection, DatabaseError> {
        Ok(Connection::open(&self.settings.address).await?)
    }

    /// The connection, if it shows a sign of life.
    async fn alive(&self, mut idle: Connection) -> Option<Connection> {
        let limit = PING_LIMIT.min(self.settings.acquire_timeout / 2);
        if let Ok(Ok(())) = timeout(limit, idle.ping()).await {
            return Some(idle);
        }
        self.counters.replaced();
        None
    }
}
