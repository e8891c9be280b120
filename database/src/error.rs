//! What goes wrong with a database, in classes that a caller can act on.
//!
//! In comes an error of the driver; out comes its class. A parameter's value never comes through:
//! where the database's words could quote one, a fixed text stands for them.

mod classify;

/// Why something asked of a database was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseError {
    /// There is no database to be asked, or it was lost on the way. Whether a write that was under
    /// way took place is not known.
    #[error("{0}")]
    Unavailable(Unavailable),
    /// Something took longer than it may; the statement was cancelled and had no effect.
    #[error("{what} took longer than it may")]
    Timeout {
        /// What took too long: `the wait for a connection`, `the statement`.
        what: &'static str,
    },
    /// The transaction lost against another that ran at the same time, and can be tried again.
    #[error("another transaction was in the way ({code})")]
    Conflict {
        /// The database's code: a SQLSTATE, or SQLite's number.
        code: String,
    },
    /// The rows would break a rule of the schema.
    #[error("{kind} constraint {name:?} forbids it")]
    Constraint {
        /// The constraint's name. SQLite has none for some kinds; they get the name that PostgreSQL
        /// would give (`patients_phone_key`, `tool_calls_pkey`). Empty for SQLite's foreign keys.
        name: String,
        /// Which kind.
        kind: ConstraintKind,
    },
    /// The statement or an argument is wrong: it fails whenever it is tried.
    #[error("the database refuses the statement ({code}): {reason}")]
    Invalid {
        /// The database's code: a SQLSTATE, or SQLite's number; empty where the driver found it.
        code: String,
        /// The database's words where they can only speak of the statement, else a fixed text.
        reason: String,
    },
    /// Anything else.
    #[error("the database failed ({code}): {reason}")]
    Other {
        /// The database's code, or the driver's name for what happened.
        code: String,
        /// What happened, in fixed words.
        reason: String,
    },
}

/// Why there is no database to be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// The network or the system says no.
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    /// The server does not speak TLS.
    #[error(
        "the database server has no TLS, which `sslmode` asks for: switch it on (`ssl = on` in \
         postgresql.conf), or name another server"
    )]
    NoTls,
    /// The certificate is for another name.
    #[error(
        "the database server's certificate is not for the host name in the URL: write the name \
         that the certificate has, or have one made for this name"
    )]
    WrongHost,
    /// The certificate is by nobody who is trusted here.
    #[error(
        "the database server's certificate is by an authority that is not known here: give its \
         certificate as `root_certificates`"
    )]
    UnknownAuthority,
    /// TLS failed for another reason.
    #[error("the TLS handshake with the database server failed: {0}")]
    Tls(String),
    /// The server is there and lets us not in.
    #[error("the database server refuses the log-in ({code}): check user, password and name")]
    LogIn {
        /// The SQLSTATE.
        code: String,
    },
    /// The server takes no connections now: it starts, stops or is full.
    #[error("the database server takes no connections now ({code})")]
    Busy {
        /// The SQLSTATE.
        code: String,
    },
    /// The connection was lost while it was in use.
    #[error("the connection to the database was lost")]
    Lost,
    /// [`Database::close`](crate::Database::close) was called.
    #[error("the database was closed")]
    Closed,
}

/// A kind of rule of a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConstraintKind {
    /// Two rows with the same key.
    Unique,
    /// Two rows that overlap.
    Exclusion,
    /// A row that refers to none, or one that others refer to.
    ForeignKey,
    /// A row that must have a value.
    NotNull,
    /// A row that breaks a condition, or a trigger's rule.
    Check,
}

impl std::fmt::Display for ConstraintKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Unique => "unique",
            Self::Exclusion => "exclusion",
            Self::ForeignKey => "foreign key",
            Self::NotNull => "not null",
            Self::Check => "check",
        })
    }
}
