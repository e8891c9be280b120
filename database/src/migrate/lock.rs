//! One migration at a time, whoever starts it.
//!
//! PostgreSQL has advisory locks, which end with the connection, however it ends. For SQLite a file
//! beside the database is locked, and the system unlocks it when the process ends.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::PgConnection;
use tokio::time::{Instant, sleep};
use tracing::warn;

use super::MigrateError;

/// How long another migration is waited for: many times what ours take, little enough for a deploy
/// to notice.
pub(super) const LOCK_LIMIT: Duration = Duration::from_secs(60);

/// How often a lock that somebody else has is tried again.
const LOCK_RETRY: Duration = Duration::from_millis(50);

/// The advisory lock's number: "voicegra" in ASCII, so that whoever reads `pg_locks` can tell.
const ADVISORY: i64 = i64::from_be_bytes(*b"voicegra");

/// A lock that is held until this is dropped, or the connection closed.
#[derive(Debug)]
pub(super) enum Lock {
    /// Held by the connection.
    Advisory,
    /// Held by the open file.
    File(#[expect(dead_code, reason = "held, not read")] File),
}

/// Takes the lock of the server's database.
pub(super) async fn advisory(connection: &mut PgConnection) -> Result<Lock, MigrateError> {
    let began = Instant::now();
    loop {
        let locked = sqlx::query_scalar("select pg_try_advisory_lock($1)").bind(ADVISORY);
        if locked.fetch_one(&mut *connection).await? {
            return Ok(Lock::Advisory);
        }
        wait(began).await?;
    }
}

/// Takes the lock of a file's database.
pub(super) async fn beside(database: &Path) -> Result<Lock, MigrateError> {
    let path = lock_path(database);
    let failed = |error| MigrateError::LockFile { path: path.clone(), error };
    let file = File::options().create(true).append(true).open(&path).map_err(failed)?;
    let began = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Lock::File(file)),
            Err(TryLockError::WouldBlock) => wait(began).await?,
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
    }
}

/// Waits for the next try, and says so the first time.
async fn wait(began: Instant) -> Result<(), MigrateError> {
    let waited = began.elapsed();
    if waited >= LOCK_LIMIT {
        return Err(MigrateError::Locked(LOCK_LIMIT));
    }
    if waited < LOCK_RETRY {
        warn!("another migration is under way, waiting for its end");
    }
    sleep(LOCK_RETRY).await;
    Ok(())
}

fn lock_path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".migrate-lock");
    name.into()
}
