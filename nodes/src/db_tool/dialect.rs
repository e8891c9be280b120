//! What differs between the two databases once a statement runs: how a value is bound, how a cell
//! is read, and the tool's own few statements.
//!
//! Everything else is written once, for any [`Speech`].

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use serde_json::{Value as Json, json};
use sqlx::encode::Encode;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{
    Arguments, Column, Database, Postgres, Row, Sqlite, Type as Stored, TypeInfo, ValueRef,
};

use super::value::{Type, Value, instant};

/// A database as a tool speaks to it.
pub(super) trait Speech: Database {
    /// What makes the connection ready for a tool that reads, and for one that writes.
    const READY: [&'static str; 2];
    /// Begins a transaction of a tool that reads, and of one that writes.
    const BEGIN: [&'static str; 2];
    /// Takes a key (key, session, tool). It changes no row where the key is taken already; where
    /// another transaction is about to take it, it waits for that one's end.
    const CLAIM: &'static str;
    /// Keeps the result of a key (key, JSON text).
    const KEEP: &'static str;
    /// The result of a key as JSON text.
    const RECALL: &'static str;
    /// Writes the record of a call (session, pipeline, caller, start, end, reason, turns). It
    /// changes one row where it writes or finds it, and none where another call has the session.
    const RECORD: &'static str;

    /// Binds the values to positions, in their order.
    fn bind(values: &[&Value]) -> Result<Self::Arguments, BoxDynError>;

    /// One cell as JSON.
    fn cell(row: &Self::Row, index: usize) -> Result<Json, sqlx::Error>;

    /// Whether cells of the type `name` can be told to a model.
    fn is_readable(name: &str) -> bool;

    /// How many rows were changed.
    fn changed(result: &Self::QueryResult) -> u64;
}

impl Speech for Postgres {
    const READY: [&'static str; 2] = ["", ""];
    const BEGIN: [&'static str; 2] = ["begin read only", "begin"];
    const CLAIM: &'static str = "insert into tool_calls (key, session_id, tool) \
        values ($1::text, $2::text, $3::text) on conflict (key) do nothing";
    const KEEP: &'static str =
        "update tool_calls set result = ($2::text)::jsonb where key = $1::text";
    const RECALL: &'static str = "select result::text from tool_calls where key = $1::text";
    const RECORD: &'static str = "insert into call_records \
        (session_id, pipeline, caller, started_at, ended_at, end_reason, turns) \
        values ($1::text, $2::text, $3::text, $4::timestamptz, $5::timestamptz, $6::text, \
        $7::bigint) on conflict (session_id) do update set turns = excluded.turns \
        where call_records.started_at = excluded.started_at";

    fn bind(values: &[&Value]) -> Result<PgArguments, BoxDynError> {
        let mut arguments = PgArguments::default();
        for value in values {
            match value {
                Value::Null(kind) => bind_null(&mut arguments, *kind)?,
                Value::Text(text) => arguments.add(text)?,
                Value::Integer(integer) => arguments.add(integer)?,
                Value::Number(number) => arguments.add(number)?,
                Value::Boolean(boolean) => arguments.add(boolean)?,
                Value::Date(date) => arguments.add(date)?,
                Value::DateTime(at) => arguments.add(at)?,
                Value::Time(time) => arguments.add(time)?,
            }
        }
        Ok(arguments)
    }

    fn cell(row: &PgRow, index: usize) -> Result<Json, sqlx::Error> {
        let kind = row.column(index).type_info().name().to_owned();
        match kind.as_str() {
            "BOOL" => get::<Self, bool>(row, index, Json::from),
            "INT2" => get::<Self, i16>(row, index, Json::from),
            "INT4" => get::<Self, i32>(row, index, Json::from),
            "INT8" => get::<Self, i64>(row, index, Json::from),
            "FLOAT4" => get::<Self, f32>(row, index, Json::from),
            "FLOAT8" => get::<Self, f64>(row, index, Json::from),
            "TEXT" | "VARCHAR" | "CHAR" | "NAME" => get::<Self, String>(row, index, Json::from),
            "DATE" => get::<Self, NaiveDate>(row, index, |date| json!(date.to_string())),
            "TIME" => get::<Self, NaiveTime>(row, index, |time| json!(time.to_string())),
            "TIMESTAMP" => get::<Self, NaiveDateTime>(row, index, |at| json!(at.to_string())),
            "TIMESTAMPTZ" => get::<Self, DateTime<Utc>>(row, index, |at| json!(instant(&at))),
            _ => Ok(Json::Null),
        }
    }

    fn is_readable(name: &str) -> bool {
        const READABLE: [&str; 14] = [
            "BOOL",
            "INT2",
            "INT4",
            "INT8",
            "FLOAT4",
            "FLOAT8",
            "TEXT",
            "VARCHAR",
            "CHAR",
            "NAME",
            "DATE",
            "TIME",
            "TIMESTAMP",
            "TIMESTAMPTZ",
        ];
        READABLE.contains(&name)
    }

    fn changed(result: &Self::QueryResult) -> u64 {
        result.rows_affected()
    }
}

/// A null of its type: PostgreSQL is told the type of each value that is bound.
fn bind_null(arguments: &mut PgArguments, kind: Type) -> Result<(), BoxDynError> {
    fn none<T>(arguments: &mut PgArguments) -> Result<(), BoxDynError>
    where
        for<'q> Option<T>: Encode<'q, Postgres> + Stored<Postgres>,
    {
        arguments.add(None::<T>)
    }
    match kind {
        Type::Text => none::<String>(arguments),
        Type::Integer => none::<i64>(arguments),
        Type::Number => none::<f64>(arguments),
        Type::Boolean => none::<bool>(arguments),
        Type::Date => none::<NaiveDate>(arguments),
        Type::DateTime => none::<DateTime<Utc>>(arguments),
        Type::Time => none::<NaiveTime>(arguments),
    }
}

impl Speech for Sqlite {
    // SQLite has no transaction that only reads, but a connection that does.
    const READY: [&'static str; 2] = ["pragma query_only = on", "pragma query_only = off"];
    const BEGIN: [&'static str; 2] = ["begin", "begin immediate"];
    const CLAIM: &'static str = "insert into tool_calls (key, session_id, tool) \
        values (?1, ?2, ?3) \
        on conflict (key) do nothing";
    const KEEP: &'static str = "update tool_calls set result = ?2 where key = ?1";
    const RECALL: &'static str = "select result from tool_calls where key = ?1";
    const RECORD: &'static str = "insert into call_records \
        (session_id, pipeline, caller, started_at, ended_at, end_reason, turns) \
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
        on conflict (session_id) do update set turns = excluded.turns \
        where call_records.started_at = excluded.started_at";

    fn bind(values: &[&Value]) -> Result<SqliteArguments, BoxDynError> {
        let mut arguments = SqliteArguments::default();
        for value in values {
            match value {
                Value::Null(_) => arguments.add(None::<String>)?,
                Value::Text(text) => arguments.add(text.clone())?,
                Value::Integer(integer) => arguments.add(*integer)?,
                Value::Number(number) => arguments.add(*number)?,
                Value::Boolean(boolean) => arguments.add(*boolean)?,
                Value::Date(date) => arguments.add(date.to_string())?,
                Value::DateTime(at) => arguments.add(instant(at))?,
                Value::Time(time) => arguments.add(time.to_string())?,
            }
        }
        Ok(arguments)
    }

    fn cell(row: &SqliteRow, index: usize) -> Result<Json, sqlx::Error> {
        let kind = row.try_get_raw(index)?.type_info().name().to_owned();
        match kind.as_str() {
            "INTEGER" => row.try_get_unchecked::<i64, _>(index).map(Json::from),
            "REAL" => row.try_get_unchecked::<f64, _>(index).map(Json::from),
            "TEXT" => row.try_get_unchecked::<String, _>(index).map(Json::from),
            _ => Ok(Json::Null),
        }
    }

    /// SQLite knows the type of a cell, and that of a column only where it is a table's.
    fn is_readable(name: &str) -> bool {
        name != "BLOB"
    }

    fn changed(result: &Self::QueryResult) -> u64 {
        result.rows_affected()
    }
}

/// A cell that may be null.
fn get<'r, DB, T>(
    row: &'r DB::Row,
    index: usize,
    tell: impl FnOnce(T) -> Json,
) -> Result<Json, sqlx::Error>
where
    DB: Database,
    T: sqlx::Decode<'r, DB> + Stored<DB>,
    usize: sqlx::ColumnIndex<DB::Row>,
{
    let value: Option<T> = row.try_get(index)?;
    Ok(value.map_or(Json::Null, tell))
}
