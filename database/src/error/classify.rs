//! The driver's errors sorted into classes.

use sqlx::error::DatabaseError as Said;
use sqlx::postgres::PgDatabaseError;
use sqlx::sqlite::SqliteError;

use super::{ConstraintKind, DatabaseError, Unavailable};

impl From<sqlx::Error> for DatabaseError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(said) => said_by_database(said.as_ref()),
            sqlx::Error::Io(error) => Self::Unavailable(network(&error)),
            sqlx::Error::Tls(error) => Self::Unavailable(tls(error.as_ref())),
            sqlx::Error::WorkerCrashed => Self::Unavailable(Unavailable::Lost),
            sqlx::Error::PoolClosed => Self::Unavailable(Unavailable::Closed),
            // Texts of these could quote an argument or a row, so only the kind is told.
            sqlx::Error::Encode(_) => invalid("", "an argument cannot be encoded"),
            sqlx::Error::InvalidArgument(_) => invalid("", "an argument is not allowed"),
            sqlx::Error::TypeNotFound { type_name } => {
                invalid("", &format!("there is no type {type_name:?}"))
            }
            sqlx::Error::ColumnNotFound(name) => {
                invalid("", &format!("there is no column {name:?} in the result"))
            }
            sqlx::Error::ColumnDecode { index, .. } => {
                other("decode", &format!("column {index} of the result is of another type"))
            }
            sqlx::Error::RowNotFound => other("no_row", "there is no such row"),
            sqlx::Error::Protocol(_) => other("protocol", "the server broke the protocol"),
            _ => other("driver", "the driver failed"),
        }
    }
}

fn invalid(code: &str, reason: &str) -> DatabaseError {
    DatabaseError::Invalid { code: code.to_owned(), reason: reason.to_owned() }
}

fn other(code: &str, reason: &str) -> DatabaseError {
    DatabaseError::Other { code: code.to_owned(), reason: reason.to_owned() }
}

fn constraint(name: impl Into<String>, kind: ConstraintKind) -> DatabaseError {
    DatabaseError::Constraint { name: name.into(), kind }
}

fn said_by_database(said: &dyn Said) -> DatabaseError {
    if let Some(said) = said.try_downcast_ref::<PgDatabaseError>() {
        return postgres(said);
    }
    if let Some(said) = said.try_downcast_ref::<SqliteError>() {
        return sqlite(said.code().as_deref().unwrap_or_default(), said.message());
    }
    other("unknown", "a database that is not known said something")
}

/// SQLSTATE codes as in PostgreSQL 15's appendix A.
fn postgres(said: &PgDatabaseError) -> DatabaseError {
    let code = said.code();
    let name = said.constraint().unwrap_or_default();
    match (code, code.get(..2).unwrap_or_default()) {
        ("23505", _) => constraint(name, ConstraintKind::Unique),
        ("23P01", _) => constraint(name, ConstraintKind::Exclusion),
        ("23503", _) => constraint(name, ConstraintKind::ForeignKey),
        ("23514", _) => constraint(name, ConstraintKind::Check),
        ("23502", _) => {
            let column = said.column().unwrap_or_default();
            let table = said.table().unwrap_or_default();
            constraint(format!("{table}_{column}_not_null"), ConstraintKind::NotNull)
        }
        ("57014", _) => DatabaseError::Timeout { what: "the statement" },
        ("55P03" | "40001" | "40P01", _) => DatabaseError::Conflict { code: code.to_owned() },
        ("57P03" | "53300", _) => {
            DatabaseError::Unavailable(Unavailable::Busy { code: code.to_owned() })
        }
        ("57P01" | "57P02" | "57P05", _) | (_, "08") => {
            DatabaseError::Unavailable(Unavailable::Lost)
        }
        ("3D000", _) | (_, "28") => {
            DatabaseError::Unavailable(Unavailable::LogIn { code: code.to_owned() })
        }
        // The words of class 22 quote the argument: `invalid input syntax for type date: "..."`.
        (_, "22") => invalid(code, "an argument is out of range or of the wrong form"),
        (_, "42" | "26" | "0A") => invalid(code, said.message()),
        _ => other(code, "see the server's log"),
    }
}

/// Result codes as in <https://www.sqlite.org/rescode.html>; the lower 8 bits are the primary code.
fn sqlite(code: &str, words: &str) -> DatabaseError {
    let number: i32 = code.parse().unwrap_or(0);
    let after_colon = words.rsplit_once(": ").map_or(words, |(_, rest)| rest);
    match (number, number & 0xff) {
        (1555 | 2579, _) => {
            let table = after_colon.split('.').next().unwrap_or_default();
            constraint(format!("{table}_pkey"), ConstraintKind::Unique)
        }
        (2067, _) => constraint(unique_name(after_colon), ConstraintKind::Unique),
        (787, _) => constraint("", ConstraintKind::ForeignKey),
        (1299, _) => {
            let name = format!("{}_not_null", after_colon.replace('.', "_"));
            constraint(name, ConstraintKind::NotNull)
        }
        (275, _) => constraint(after_colon, ConstraintKind::Check),
        // A trigger's own words: our migrations write the constraint's name there.
        (1811, _) if words.ends_with("_no_overlap") => constraint(words, ConstraintKind::Exclusion),
        (1811, _) => constraint(words, ConstraintKind::Check),
        (_, 5 | 6) => DatabaseError::Conflict { code: code.to_owned() },
        (_, 9) => DatabaseError::Timeout { what: "the statement" },
        (_, 14 | 10 | 26 | 11 | 13) => {
            DatabaseError::Unavailable(Unavailable::Unreachable(words.to_owned()))
        }
        (_, 1) => invalid(code, words),
        (_, 18 | 20 | 25) => invalid(code, "an argument is too big or of the wrong type"),
        _ => other(code, "SQLite failed"),
    }
}

/// PostgreSQL's name for a unique constraint on `table.a, table.b`.
fn unique_name(columns: &str) -> String {
    let mut parts =
        columns.split(", ").map(|column| column.split_once('.').unwrap_or(("", column)));
    let (table, first) = parts.next().unwrap_or_default();
    let rest = parts.fold(first.to_owned(), |names, (_, column)| format!("{names}_{column}"));
    format!("{table}_{rest}_key")
}

/// An error of the socket. What fails in a handshake comes wrapped in one.
fn network(error: &std::io::Error) -> Unavailable {
    use std::io::ErrorKind;
    if let Some(inner) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return handshake(inner);
    }
    match error.kind() {
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof => Unavailable::Lost,
        _ => Unavailable::Unreachable(error.to_string()),
    }
}

fn tls(error: &(dyn std::error::Error + 'static)) -> Unavailable {
    if let Some(inner) = error.downcast_ref::<rustls::Error>() {
        return handshake(inner);
    }
    // The driver has no type for it: sqlx-postgres 0.9.0, connection/tls.rs.
    if error.to_string() == "server does not support TLS" {
        return Unavailable::NoTls;
    }
    Unavailable::Tls(error.source().map_or_else(|| error.to_string(), ToString::to_string))
}

fn handshake(error: &rustls::Error) -> Unavailable {
    use rustls::CertificateError::{NotValidForName, NotValidForNameContext, UnknownIssuer};
    match error {
        rustls::Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }) => {
            Unavailable::WrongHost
        }
        rustls::Error::InvalidCertificate(UnknownIssuer) => Unavailable::UnknownAuthority,
        error => Unavailable::Tls(error.to_string()),
    }
}
