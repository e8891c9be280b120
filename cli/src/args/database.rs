//! The arguments of the commands that work on a database.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::builder::BoolishValueParser;
use clap::{Args, Subcommand};

/// Which database.
#[derive(Args, Clone)]
pub(crate) struct Database {
    /// The database: `postgres://user:password@host/name` or `sqlite:path/to/file.db`.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub(crate) database_url: String,

    /// A PEM file with the certificate authority of the server, besides the system's own.
    #[arg(long, env = "VOICEGRAPH_ROOT_CERTIFICATES", value_name = "FILE")]
    pub(crate) root_certificates: Option<PathBuf>,

    /// The environment that the database belongs to. PostgreSQL is reached over TLS in all of them
    /// but `dev`.
    #[arg(long, env = "VOICEGRAPH_ENV", value_name = "NAME")]
    pub(crate) env: Option<String>,
}

impl std::fmt::Debug for Database {
    /// Without the URL, which holds a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").field("env", &self.env).finish_non_exhaustive()
    }
}

#[derive(Args, Debug)]
pub(crate) struct Migrate {
    #[command(subcommand)]
    pub(crate) action: Migration,
}

/// What is done with the schema's versions.
#[derive(Debug, Subcommand)]
pub(crate) enum Migration {
    /// Makes the versions that are not made yet, each in a transaction, under a lock.
    Up(Up),
    /// Takes versions back, the newest first. What their tables hold is lost.
    Down(Down),
    /// Lists the versions, and how the database stands to each.
    Status(Status),
    /// Compares the database with what the migrations make, and names each difference.
    Verify(Verify),
}

#[derive(Args, Debug)]
pub(crate) struct Up {
    #[command(flatten)]
    pub(crate) database: Database,

    /// The last version to make; all without it.
    #[arg(long, env = "VOICEGRAPH_MIGRATE_TO", value_name = "VERSION")]
    pub(crate) to: Option<i64>,

    /// Prints the SQL instead of running it.
    #[arg(long, env = "VOICEGRAPH_DRY_RUN", value_parser = BoolishValueParser::new())]
    pub(crate) dry_run: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Down {
    #[command(flatten)]
    pub(crate) database: Database,

    /// How many versions to take back.
    #[arg(
        long,
        env = "VOICEGRAPH_MIGRATE_STEPS",
        default_value = "1",
        value_name = "N",
        conflicts_with = "to"
    )]
    pub(crate) steps: usize,

    /// The version to go back to; 0 is the empty schema.
    #[arg(long, env = "VOICEGRAPH_MIGRATE_TO", value_name = "VERSION")]
    pub(crate) to: Option<i64>,

    /// Prints the SQL instead of running it.
    #[arg(long, env = "VOICEGRAPH_DRY_RUN", value_parser = BoolishValueParser::new())]
    pub(crate) dry_run: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) database: Database,
}

#[derive(Args, Debug)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) database: Database,
}

/// The environment `production` is refused, and so is a PostgreSQL server of no environment.
#[derive(Args, Debug)]
pub(crate) struct Seed {
    #[command(flatten)]
    pub(crate) database: Database,

    /// The day around which the data lies; today (UTC) without it.
    #[arg(long, env = "VOICEGRAPH_DATE", value_name = "YYYY-MM-DD")]
    pub(crate) date: Option<NaiveDate>,

    /// Adds the data whatever the environment is.
    #[arg(long, env = "VOICEGRAPH_FORCE", value_parser = BoolishValueParser::new())]
    pub(crate) force: bool,

    /// Prints the SQL instead of running it.
    #[arg(long, env = "VOICEGRAPH_DRY_RUN", value_parser = BoolishValueParser::new())]
    pub(crate) dry_run: bool,
}
