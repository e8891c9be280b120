//! Whether a database has the schema that the migrations make.
//!
//! ```text
//!   live database ──read──> Snapshot ─┐
//!                                     ├─ compare ─> Difference, …
//!   migrations, made in a schema ─────┘
//!   that is rolled back, or in memory: Snapshot
//! ```
//!
//! Both are read from the catalogue in the same way, so what is compared is what the database
//! understood, not how somebody wrote it.

mod postgres;
mod snapshot;
mod sqlite;

pub use snapshot::{Difference, Snapshot};

use crate::connection::Connection;
use crate::migrate::{MigrateError, Migrations};
use crate::options::{Address, Settings};

/// The table of the migrations' records: no part of what they make.
pub(crate) const RECORDS: &str = "_sqlx_migrations";

/// Names each difference between the schema of `settings`' database and the one that all the
/// clinic's migrations make. Writes nothing that stays.
///
/// # Errors
/// Where the database cannot be read, or lets nobody make a schema to compare with.
pub async fn verify(settings: &Settings) -> Result<Vec<Difference>, MigrateError> {
    let live = read(settings).await?;
    let migrations = Migrations::embedded(settings.dialect());
    let expected = match &settings.address {
        Address::Postgres(_) => postgres::made(settings, &migrations).await?,
        Address::Sqlite(_) => sqlite::made(&migrations).await?,
    };
    Ok(snapshot::compare(&expected, &live))
}

/// The schema of `settings`' database as it is.
///
/// # Errors
/// Where the database cannot be read.
pub async fn read(settings: &Settings) -> Result<Snapshot, MigrateError> {
    if let Address::Sqlite(options) = &settings.address
        && !options.get_filename().exists()
    {
        return Ok(Snapshot::default());
    }
    match &mut Connection::open(&settings.address).await? {
        Connection::Postgres(connection) => postgres::read(connection, "public").await,
        Connection::Sqlite(connection) => sqlite::read(connection).await,
    }
}
