//! Sample data: patients, doctors, shifts and appointments around a day.
//!
//! In comes the day; out comes a script that adds what is missing and changes nothing that is
//! there, so a second run leaves equal tables. It never runs where it could meet real patients.

mod people;
mod script;

use sqlx::{AssertSqlSafe, Executor as _};

pub use script::script;

use crate::connection::Connection;
use crate::error::DatabaseError;
use crate::options::{Dialect, Settings};

/// Why there is no sample data.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// It may be production.
    #[error(
        "sample data does not belong into {0}: name another environment with --env, or say --force"
    )]
    Production(String),
    /// The database failed.
    #[error("sample data needs the newest schema (`voicegraph migrate up`), and was not added")]
    Database(#[from] DatabaseError),
}

/// Whether the guard against real data is in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Production is refused, and so is a PostgreSQL server whose environment is not named.
    Up,
    /// Nothing is refused.
    Forced,
}

/// Adds the sample data around `today`, in one transaction.
///
/// # Errors
/// Where `environment` is, or may be, production; where the database fails. Nothing is added then.
pub async fn seed(
    settings: &Settings,
    today: chrono::NaiveDate,
    environment: Option<&str>,
    guard: Guard,
) -> Result<(), SeedError> {
    if guard == Guard::Up {
        refuse_production(settings.dialect(), environment)?;
    }
    let script = AssertSqlSafe(format!("begin;\n{}commit;\n", script(today)));
    let mut connection = Connection::open(&settings.address).await.map_err(DatabaseError::from)?;
    let done = match &mut connection {
        Connection::Postgres(connection) => connection.execute(script).await.map(drop),
        Connection::Sqlite(connection) => connection.execute(script).await.map(drop),
    };
    // What fails ends the connection, and the transaction with it.
    done.map_err(DatabaseError::from)?;
    connection.close().await.map_err(DatabaseError::from)?;
    Ok(())
}

fn refuse_production(dialect: Dialect, environment: Option<&str>) -> Result<(), SeedError> {
    match environment {
        Some("production") => Err(SeedError::Production("production".to_owned())),
        None if dialect == Dialect::Postgres => {
            Err(SeedError::Production("a server whose environment is not named".to_owned()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn production_is_refused_and_what_may_be_it() {
        for (dialect, environment, refused) in [
            (Dialect::Postgres, Some("production"), true),
            (Dialect::Sqlite, Some("production"), true),
            (Dialect::Postgres, None, true),
            (Dialect::Sqlite, None, false),
            (Dialect::Postgres, Some("staging"), false),
        ] {
            let refusal = refuse_production(dialect, environment);
            assert_eq!(refusal.is_err(), refused, "{dialect:?} {environment:?}");
        }
    }
}
