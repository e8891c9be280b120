//! The options of a database as written in TOML or on the command line, and the settings that they
//! become.
//!
//! In comes a URL with limits; out comes what a connection needs, or every mistake at once. Opening
//! connections is the pool's matter.

mod address;

use std::path::{Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use voicegraph_engine::node::Problem;
use voicegraph_engine::secret::Secret;

pub(crate) use address::Address;

/// A database as written. Defaults of the pool are those of SQLAlchemy's `QueuePool` twice over:
/// each call in progress holds a connection for some milliseconds only.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// Where the database is: `postgres://user:password@host/name` or `sqlite:path/to/file.db`.
    /// PostgreSQL's `sslmode` is `verify-full` where the URL does not say, and may be `verify-ca`
    /// or `require`; in the environment `dev` alone it may be anything, and is `prefer` by itself.
    pub url: Secret,

    /// How many idle connections are kept open, 1 to 1000. Default 10. With few, a burst of calls
    /// waits for connections to open.
    #[serde(default = "max_kept")]
    #[schemars(range(min = 1, max = 1000))]
    pub max_kept: u32,

    /// How many connections may be open above `max_kept` under load, 0 to 1000. Default 20. They
    /// are closed when they are given back and nobody waits. The sum must stay below the server's
    /// `max_connections`, shared by all processes.
    #[serde(default = "max_overflow")]
    #[schemars(range(min = 0, max = 1000))]
    pub max_overflow: u32,

    /// How long a caller may wait for a connection in ms, opening included, 10 to 60000. Default
    /// 2000: longer, and the caller hears silence.
    #[serde(default = "acquire_timeout_ms")]
    #[schemars(range(min = 10, max = 60_000))]
    pub acquire_timeout_ms: u32,

    /// How long one statement may run in ms, 10 to 600000. Default 5000. PostgreSQL cancels it
    /// then; SQLite takes it as the longest wait for another's write (its busy timeout), and stops
    /// what takes long when nobody waits for it any more: a tool's statement after `timeout_ms`.
    #[serde(default = "statement_timeout_ms")]
    #[schemars(range(min = 10, max = 600_000))]
    pub statement_timeout_ms: u32,

    /// The name by which PostgreSQL's `pg_stat_activity` shows these connections, 1 to 63 bytes.
    #[serde(default = "application_name")]
    #[schemars(length(min = 1, max = 63))]
    pub application_name: String,

    /// A PEM file with the certificate authority of the server, besides the system's own.
    #[serde(default)]
    pub root_certificates: Option<PathBuf>,
}

/// The one environment in which a PostgreSQL server may be reached without TLS.
const WITHOUT_TLS: &str = "dev";

/// Whether PostgreSQL must be reached over TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tls {
    /// `sslmode` is `verify-full`, or what the URL says from `require` up.
    Required,
    /// `sslmode` is what the URL says, `prefer` by default.
    Optional,
}

/// Whose SQL a database speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// PostgreSQL; tested with 15.
    Postgres,
    /// SQLite, the one that is compiled in.
    Sqlite,
}

impl Dialect {
    /// Its name: a key in TOML (`sql.postgres`) and a folder of `migrations`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Sqlite => "sqlite",
        }
    }
}

fn max_kept() -> u32 {
    10
}

fn max_overflow() -> u32 {
    20
}

fn acquire_timeout_ms() -> u32 {
    2_000
}

fn statement_timeout_ms() -> u32 {
    5_000
}

fn application_name() -> String {
    "voicegraph".to_owned()
}

/// Options that fit together. Debug output holds no password.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(crate) address: Address,
    pub(crate) max_kept: usize,
    pub(crate) max_open: usize,
    pub(crate) acquire_timeout: Duration,
}

impl Settings {
    /// Whose SQL is spoken there.
    pub fn dialect(&self) -> Dialect {
        self.address.dialect()
    }
}

impl Options {
    /// The defaults for a URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: Secret::new(url),
            max_kept: max_kept(),
            max_overflow: max_overflow(),
            acquire_timeout_ms: acquire_timeout_ms(),
            statement_timeout_ms: statement_timeout_ms(),
            application_name: application_name(),
            root_certificates: None,
        }
    }

    /// The URL of a SQLite file.
    pub fn file_url(path: &Path) -> String {
        // The driver reads a URL: what ends a path there is written in percent.
        let path = path.display().to_string().replace('%', "%25").replace('?', "%3F");
        format!("sqlite:{path}")
    }

    /// Checks what the schema cannot express. Only in the environment `dev` may PostgreSQL be
    /// reached without TLS. Paths of problems are relative to these options: `url`.
    ///
    /// # Errors
    /// Every mistake found; none shows the URL.
    pub fn build(self, environment: &str) -> Result<Settings, Vec<Problem>> {
        let tls = if environment == WITHOUT_TLS { Tls::Optional } else { Tls::Required };
        let address = Address::parse(&self, tls)?;
        let milliseconds = |count: u32| Duration::from_millis(count.into());
        Ok(Settings {
            address,
            max_kept: self.max_kept as usize,
            max_open: self.max_kept as usize + self.max_overflow as usize,
            acquire_timeout: milliseconds(self.acquire_timeout_ms),
        })
    }
}
