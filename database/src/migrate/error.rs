//! Why a migration was not made.

use std::path::PathBuf;
use std::time::Duration;

use crate::error::DatabaseError;

/// Why a migration was not made. Versions that were applied before stay applied; of the one that
/// failed nothing is left.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// One script failed, and was rolled back.
    #[error("migration {version} failed and was rolled back: {words}")]
    Script {
        /// Its version.
        version: i64,
        /// The database's words. They speak of the script, which holds nothing secret.
        words: String,
    },
    /// A script was changed after it was applied.
    #[error(
        "migration {0} was edited after it was applied: restore the file, and write the change as \
         a new migration"
    )]
    Edited(i64),
    /// The database has a version that this program does not know.
    #[error(
        "the database has version {0}, which this program does not know: it was migrated by a \
         newer one, so use that"
    )]
    Unknown(i64),
    /// A version that is asked for does not exist.
    #[error("there is no version {asked}: the versions are {known:?}, and 0 is the empty schema")]
    NoSuchVersion {
        /// The version that was asked for.
        asked: i64,
        /// Those that there are.
        known: Vec<i64>,
    },
    /// Another one migrates, and does not come to an end.
    #[error("another migration has held the lock for {0:?}: see what it does, then try again")]
    Locked(Duration),
    /// The lock file of a SQLite database cannot be used.
    #[error("cannot lock {path}: {error}")]
    LockFile {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The records of the migrations are damaged.
    #[error("the records of migrations cannot be used: {0}")]
    Records(String),
    /// A script's name or text is not as it must be: a mistake in `migrations`.
    #[error("{0}")]
    BadScript(String),
}

impl From<sqlx::Error> for MigrateError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

impl From<sqlx::migrate::MigrateError> for MigrateError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        use sqlx::migrate::MigrateError as Theirs;
        match error {
            Theirs::Execute(error) => error.into(),
            Theirs::ExecuteMigration(error, version) => script(error, version),
            Theirs::VersionMismatch(version) => Self::Edited(version),
            Theirs::VersionMissing(version) => Self::Unknown(version),
            other => Self::Records(other.to_string()),
        }
    }
}

/// A failed script. What the world did is told as such, what the script did in the database's
/// words.
fn script(error: sqlx::Error, version: i64) -> MigrateError {
    let words = match &error {
        sqlx::Error::Database(said) => said.message().to_owned(),
        _ => return error.into(),
    };
    match DatabaseError::from(error) {
        unavailable @ DatabaseError::Unavailable(_) => unavailable.into(),
        _ => MigrateError::Script { version, words },
    }
}
