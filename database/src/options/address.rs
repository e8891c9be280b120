//! A URL read into what the driver needs, with the rules for TLS.
//!
//! No message shows the URL: it holds a password.

use std::fmt;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use url::Url;
use voicegraph_engine::node::Problem;

use super::{Dialect, Options, Tls};

/// Parameters that a PostgreSQL URL may carry. Others are refused: one that is misspelt would be
/// passed over, and with it what it was to protect.
const PARAMETERS: &[&str] =
    &["sslmode", "sslrootcert", "sslcert", "sslkey", "host", "port", "dbname", "user", "password"];

/// How long one statement of a migration may run: an index over some million rows is made in less.
const MIGRATION_LIMIT: Duration = Duration::from_mins(10);

/// Where a database is, in the driver's words.
#[derive(Clone)]
pub(crate) enum Address {
    /// A server.
    Postgres(Box<PgConnectOptions>),
    /// A file.
    Sqlite(Box<SqliteConnectOptions>),
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.dialect().name())
    }
}

impl Address {
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::Postgres(_) => Dialect::Postgres,
            Self::Sqlite(_) => Dialect::Sqlite,
        }
    }

    /// The same for a migration, which may take longer than a statement of a call, and makes the
    /// file where there is none.
    pub(crate) fn for_migration(&self) -> Self {
        match self {
            Self::Postgres(options) => {
                let limit = MIGRATION_LIMIT.as_millis().to_string();
                let options = options.as_ref().clone();
                Self::Postgres(Box::new(options.options([("statement_timeout", limit)])))
            }
            Self::Sqlite(options) => {
                Self::Sqlite(Box::new(options.as_ref().clone().create_if_missing(true)))
            }
        }
    }

    /// Reads the URL of `options`.
    pub(crate) fn parse(options: &Options, tls: Tls) -> Result<Self, Vec<Problem>> {
        let url = options.url.expose();
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("postgres" | "postgresql") => {
                postgres(url, options, tls).map(|made| Self::Postgres(Box::new(made)))
            }
            Some("sqlite") => sqlite(url, options).map(|made| Self::Sqlite(Box::new(made))),
            _ => {
                Err(vec![Problem::new("url", "is the address of no database that is known").help(
                    "write `postgres://user:password@host/name` or `sqlite:path/to/file.db`",
                )])
            }
        }
    }
}

fn sqlite(url: &str, options: &Options) -> Result<SqliteConnectOptions, Vec<Problem>> {
    if url.contains(":memory:") || url.contains("mode=memory") {
        let what = "each connection would have a memory of its own";
        return Err(vec![Problem::new("url", what).help("write `sqlite:path/to/file.db`")]);
    }
    let unreadable = |_| {
        let what = "cannot be read as the address of a SQLite file";
        vec![Problem::new("url", what).help("write `sqlite:path/to/file.db`")]
    };
    let parsed: SqliteConnectOptions = url.parse().map_err(unreadable)?;
    Ok(parsed
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_millis(options.statement_timeout_ms.into())))
}

fn postgres(text: &str, options: &Options, tls: Tls) -> Result<PgConnectOptions, Vec<Problem>> {
    let form = "write `postgres://user:password@host/name`, special characters percent-encoded";
    let unreadable =
        || vec![Problem::new("url", "cannot be read as the address of a server").help(form)];
    let url = Url::parse(text).map_err(|_| unreadable())?;
    let mut problems = unknown_parameters(&url);
    let made: Option<PgConnectOptions> = text.parse().ok();
    let mode = match ssl_mode(&url, tls) {
        Ok(mode) => Some(mode),
        Err(problem) => {
            problems.push(problem);
            None
        }
    };
    match (made, mode) {
        (Some(made), Some(mode)) if problems.is_empty() => Ok(dressed(made, mode, options)),
        _ if problems.is_empty() => Err(unreadable()),
        _ => Err(problems),
    }
}

/// The driver's options with ours in them.
fn dressed(made: PgConnectOptions, mode: PgSslMode, options: &Options) -> PgConnectOptions {
    let statement_timeout = options.statement_timeout_ms.to_string();
    let made = made
        .ssl_mode(mode)
        .application_name(&options.application_name)
        .options([("statement_timeout", statement_timeout.as_str()), ("timezone", "UTC")]);
    match &options.root_certificates {
        Some(path) => made.ssl_root_cert(path),
        None => made,
    }
}

fn unknown_parameters(url: &Url) -> Vec<Problem> {
    let known = PARAMETERS.join("`, `");
    let unknown = url.query_pairs().filter(|(key, _)| !PARAMETERS.contains(&key.as_ref()));
    let problem = |(key, _): (std::borrow::Cow<'_, str>, _)| {
        let help = format!("a URL may carry `{known}`; the rest are options beside it");
        Problem::new("url", format!("the parameter `{key}` is not known")).help(help)
    };
    unknown.map(problem).collect()
}

/// The mode of TLS: what the URL says, if that is allowed.
fn ssl_mode(url: &Url, tls: Tls) -> Result<PgSslMode, Problem> {
    let said = url.query_pairs().filter(|(key, _)| key == "sslmode").last();
    let Some((_, said)) = said else {
        return Ok(match tls {
            Tls::Required => PgSslMode::VerifyFull,
            Tls::Optional => PgSslMode::Prefer,
        });
    };
    let help = "write `sslmode=verify-full`, or leave it out for the same";
    let mode = said.parse::<PgSslMode>().map_err(|_| {
        Problem::new("url", format!("`sslmode={said}` is no mode of PostgreSQL")).help(help)
    })?;
    let weak = matches!(mode, PgSslMode::Disable | PgSslMode::Allow | PgSslMode::Prefer);
    if weak && tls == Tls::Required {
        let what = format!("`sslmode={said}` lets the connection go without TLS");
        let help = format!("{help}; only the environment `dev` may do without");
        return Err(Problem::new("url", what).help(help));
    }
    Ok(mode)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The paths and messages of what is wrong with a URL.
    fn problems(url: &str, environment: &str) -> Vec<String> {
        let built = Options::new(url).build(environment);
        let said = |it: Problem| format!("{}: {}", it.path, it.message);
        built.map_or_else(|all| all.into_iter().map(said).collect(), |_| Vec::new())
    }

    #[test]
    fn a_url_may_not_go_without_tls() {
        for mode in ["disable", "allow", "prefer"] {
            let url = format!("postgres://u:top-secret@localhost/d?sslmode={mode}");
            let expected = format!("url: `sslmode={mode}` lets the connection go without TLS");
            for environment in ["base", "staging", "production"] {
                assert_eq!(problems(&url, environment), [expected.as_str()]);
            }
            assert!(problems(&url, "dev").is_empty());
        }
        for mode in ["require", "verify-ca", "verify-full"] {
            let url = format!("postgres://u:top-secret@db.example/d?sslmode={mode}");
            assert!(problems(&url, "production").is_empty());
        }
    }

    #[test]
    fn without_a_mode_everything_is_verified() {
        let mode = |tls| match Address::parse(&Options::new("postgres://u@localhost/d"), tls) {
            Ok(Address::Postgres(options)) => options.get_ssl_mode(),
            other => panic!("{other:?}"),
        };
        assert!(matches!(mode(Tls::Required), PgSslMode::VerifyFull));
        assert!(matches!(mode(Tls::Optional), PgSslMode::Prefer));
    }

    #[test]
    fn what_cannot_be_read_is_named_without_the_password() {
        for (url, expected) in [
            ("mysql://u:top-secret@h/d", "url: is the address of no database"),
            ("postgres://u:top-secret@h:port/d", "url: cannot be read"),
            ("postgres://u:top-secret@h/d?sslmod=require", "`sslmod` is not known"),
            ("postgres://u:top-secret@h/d?sslmode=on", "is no mode of PostgreSQL"),
            ("sqlite::memory:", "url: each connection would have a memory"),
        ] {
            let said = problems(url, "staging");
            assert_eq!(said.len(), 1, "{said:?}");
            assert!(said[0].contains(expected) && !said[0].contains("top-secret"), "{said:?}");
        }
    }
}
