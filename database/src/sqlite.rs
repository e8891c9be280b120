//! An open SQLite file whose statements end with whoever asked for them.
//!
//! A server cancels a statement that takes too long. SQLite is a library, and a statement of its
//! runs on the connection's thread until it is through, whether or not anybody still waits: one
//! that never is would keep the thread, the file and a processor for ever. So the thread asks now
//! and then whether the connection was dropped, and stops if it was.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection as _, SqliteConnection};

/// After how many steps of SQLite's virtual machine the thread asks: some ten µs of work.
const STEPS: i32 = 1_000;

/// An open SQLite file. Dropping it stops the statement under way, which is undone.
#[derive(Debug)]
pub struct SqliteFile {
    // Dropped in this order: the thread stops what it does, and then learns that there is no more.
    stop: StopOnDrop,
    connection: Box<SqliteConnection>,
}

impl SqliteFile {
    pub(crate) async fn open(options: &SqliteConnectOptions) -> Result<Self, sqlx::Error> {
        let mut connection = Box::new(options.connect().await?);
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = StopOnDrop(Arc::clone(&stopped));
        let goes_on = move || !stopped.load(Ordering::Relaxed);
        connection.lock_handle().await?.set_progress_handler(STEPS, goes_on);
        Ok(Self { stop, connection })
    }

    /// Closes it in good order. A statement that was given up is not waited for.
    pub(crate) async fn close(self) -> Result<(), sqlx::Error> {
        drop(self.stop);
        self.connection.close().await
    }
}

impl Deref for SqliteFile {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.connection
    }
}

impl DerefMut for SqliteFile {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }
}

/// Tells the connection's thread.
#[derive(Debug)]
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
