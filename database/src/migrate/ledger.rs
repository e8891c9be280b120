//! Which versions are applied, as the database's records say.

use std::collections::BTreeMap;

use sqlx::migrate::{Migrate as _, MigrationType};
use sqlx::{PgConnection, SqliteConnection};

use super::{MigrateError, Migrations};
use crate::connection::Connection;

/// The table of sqlx's records.
const TABLE: &str = "_sqlx_migrations";

/// One version, and how the database stands to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its number.
    pub version: i64,
    /// Its name; empty where this program does not know it.
    pub name: String,
    /// How the database stands to it.
    pub state: State,
}

/// How a database stands to a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is made.
    Applied,
    /// It is not made.
    Pending,
    /// It is made, but from another text than this program has.
    Edited,
    /// It is made, and this program does not know it.
    Unknown,
}

/// What is applied: version and checksum.
pub(super) type Applied = BTreeMap<i64, Vec<u8>>;

/// Reads the records without making their table.
pub(super) async fn applied(connection: &mut Connection) -> Result<Applied, MigrateError> {
    match connection {
        Connection::Postgres(connection) => in_postgres(connection).await,
        Connection::Sqlite(connection) => in_sqlite(connection).await,
    }
}

async fn in_postgres(connection: &mut PgConnection) -> Result<Applied, MigrateError> {
    let exists = sqlx::query_scalar("select to_regclass($1) is not null").bind(TABLE);
    if !exists.fetch_one(&mut *connection).await? {
        return Ok(Applied::new());
    }
    let applied = connection.list_applied_migrations(TABLE).await?;
    Ok(applied.into_iter().map(|it| (it.version, it.checksum.into_owned())).collect())
}

async fn in_sqlite(connection: &mut SqliteConnection) -> Result<Applied, MigrateError> {
    let exists = sqlx::query_scalar("select exists (select 1 from sqlite_master where name = ?)");
    if !exists.bind(TABLE).fetch_one(&mut *connection).await? {
        return Ok(Applied::new());
    }
    let applied = connection.list_applied_migrations(TABLE).await?;
    Ok(applied.into_iter().map(|it| (it.version, it.checksum.into_owned())).collect())
}

/// Each version that either side knows, in order.
pub(super) fn compare(migrations: &Migrations, applied: &Applied) -> Vec<Version> {
    let driver = migrations.driver();
    let ups = driver.iter().filter(|it| it.migration_type == MigrationType::ReversibleUp);
    let known = ups.map(|it| {
        let state = match applied.get(&it.version) {
            None => State::Pending,
            Some(checksum) if *checksum == *it.checksum => State::Applied,
            Some(_) => State::Edited,
        };
        (it.version, (it.description.to_string(), state))
    });
    let unknown = applied.keys().map(|&version| (version, (String::new(), State::Unknown)));
    let all: BTreeMap<_, _> = unknown.chain(known).collect();
    all.into_iter().map(|(version, (name, state))| Version { version, name, state }).collect()
}

/// Refuses a database that does not stand on our texts.
pub(super) fn must_match(versions: &[Version]) -> Result<(), MigrateError> {
    for it in versions {
        match it.state {
            State::Edited => return Err(MigrateError::Edited(it.version)),
            State::Unknown => return Err(MigrateError::Unknown(it.version)),
            State::Applied | State::Pending => {}
        }
    }
    Ok(())
}
