//! One connection of either dialect.

use sqlx::{ConnectOptions, Connection as _, PgConnection};

use crate::options::{Address, Dialect};
use crate::sqlite::SqliteFile;

/// An open connection.
#[derive(Debug)]
pub enum Connection {
    /// To a PostgreSQL server.
    Postgres(Box<PgConnection>),
    /// To a SQLite file.
    Sqlite(SqliteFile),
}

impl Connection {
    /// Whose SQL it speaks.
    pub fn dialect(&self) -> Dialect {
        match self {
            Self::Postgres(_) => Dialect::Postgres,
            Self::Sqlite(_) => Dialect::Sqlite,
        }
    }

    pub(crate) async fn open(address: &Address) -> Result<Self, sqlx::Error> {
        Ok(match address {
            Address::Postgres(options) => Self::Postgres(Box::new(options.connect().await?)),
            Address::Sqlite(options) => Self::Sqlite(SqliteFile::open(options).await?),
        })
    }

    /// Asks the other end for a sign of life. It also finishes what a cancelled statement left.
    pub(crate) async fn ping(&mut self) -> Result<(), sqlx::Error> {
        match self {
            Self::Postgres(connection) => connection.ping().await,
            Self::Sqlite(connection) => connection.ping().await,
        }
    }

    /// Says farewell. Dropping it does the same without words, and waits for nothing.
    pub(crate) async fn close(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Postgres(connection) => connection.close().await,
            Self::Sqlite(connection) => connection.close().await,
        }
    }
}
