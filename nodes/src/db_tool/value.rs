//! What a tool's parameter may be, and its value on the way from JSON to SQL.
//!
//! The formats are read here once, for the check of the model's arguments and for binding alike:
//! what passes the check can be bound.

use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, Utc};
use serde_json::Value as Json;
use voicegraph_engine::variables::{self, VariableType};

/// The type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Text,
    Integer,
    Number,
    Boolean,
    Date,
    DateTime,
    Time,
}

/// A value of one of the types, ready to be bound.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// The parameter was left out; its type is kept, since a database asks for it.
    Null(Type),
    Text(String),
    Integer(i64),
    Number(f64),
    Boolean(bool),
    Date(NaiveDate),
    DateTime(DateTime<Utc>),
    /// A time on a clock's face, in no zone.
    Time(NaiveTime),
}

impl From<VariableType> for Type {
    fn from(kind: VariableType) -> Self {
        match kind {
            VariableType::String => Self::Text,
            VariableType::Integer => Self::Integer,
            VariableType::Number => Self::Number,
            VariableType::Boolean => Self::Boolean,
        }
    }
}

impl From<&variables::Value> for Value {
    fn from(value: &variables::Value) -> Self {
        match value {
            variables::Value::Text(text) => Self::Text(text.to_string()),
            variables::Value::Integer(integer) => Self::Integer(*integer),
            variables::Value::Number(number) => Self::Number(*number),
            variables::Value::Boolean(boolean) => Self::Boolean(*boolean),
        }
    }
}

impl Type {
    /// The type in PostgreSQL. `timestamptz` and `time` differ in that a `time` has no zone.
    pub(super) fn in_postgres(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "bigint",
            Self::Number => "double precision",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::DateTime => "timestamptz",
            Self::Time => "time",
        }
    }

    /// The value that the JSON stands for; `None` where it is of another type.
    pub(super) fn read(self, json: &Json) -> Option<Value> {
        match (self, json) {
            (_, Json::Null) => Some(Value::Null(self)),
            (Self::Integer, Json::Number(number)) => integer(number).map(Value::Integer),
            (Self::Number, Json::Number(number)) => number.as_f64().map(Value::Number),
            (Self::Boolean, Json::Bool(boolean)) => Some(Value::Boolean(*boolean)),
            (Self::Text, Json::String(text)) => Some(Value::Text(text.clone())),
            (Self::Date, Json::String(text)) => date(text).map(Value::Date),
            (Self::DateTime, Json::String(text)) => date_time(text).map(Value::DateTime),
            (Self::Time, Json::String(text)) => time(text).map(Value::Time),
            _ => None,
        }
    }
}

/// A whole number, also where a model writes it as `3.0`, which JSON Schema holds to be an integer.
fn integer(number: &serde_json::Number) -> Option<i64> {
    /// Beyond it a 64-bit float skips whole numbers.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let whole = |float: &f64| float.fract() == 0.0 && float.abs() <= EXACT;
    number.as_i64().or_else(|| number.as_f64().filter(whole).map(|float| float as i64))
}

/// `2026-11-24`, RFC 3339 `full-date`.
pub(super) fn date(text: &str) -> Option<NaiveDate> {
    let shaped = text.len() == 10;
    shaped.then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()).flatten()
}

/// `2026-11-24T09:30:00+01:00`, RFC 3339 `date-time`: without an offset it names no instant.
pub(super) fn date_time(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc())
}

/// `09:30` or `09:30:00`. RFC 3339 would ask for an offset, which no caller and no clock says.
pub(super) fn time(text: &str) -> Option<NaiveTime> {
    ["%H:%M:%S", "%H:%M"].iter().find_map(|form| NaiveTime::parse_from_str(text, form).ok())
}

/// An instant as SQLite stores it and as the model is told it: UTC, to the second, `Z` at the end.
/// One form, so that text compares as time does.
pub(super) fn instant(at: &DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_is_read_by_its_type_or_not_at_all() {
        let at = date_time("2026-11-24T08:30:00Z").unwrap();
        for (kind, json, expected) in [
            (Type::Integer, json!(3), Some(Value::Integer(3))),
            (Type::Integer, json!(3.0), Some(Value::Integer(3))),
            (Type::Integer, json!(3.5), None),
            (Type::Integer, json!(1e300), None),
            (Type::Integer, json!(u64::MAX), None),
            (Type::Integer, json!("3"), None),
            (Type::Number, json!(3), Some(Value::Number(3.0))),
            (Type::Boolean, json!(true), Some(Value::Boolean(true))),
            (Type::Boolean, json!(1), None),
            (Type::Text, json!("'; --"), Some(Value::Text("'; --".to_owned()))),
            (Type::Date, json!("2026-02-29"), None),
            (Type::Date, json!("2026-2-3"), None),
            (Type::DateTime, json!("2026-11-24T09:30:00+01:00"), Some(Value::DateTime(at))),
            (Type::DateTime, json!("2026-11-24T09:30:00"), None),
            (Type::Time, json!("09:30"), time("09:30:00").map(Value::Time)),
            (Type::Time, json!("25:00"), None),
            (Type::Time, json!(null), Some(Value::Null(Type::Time))),
        ] {
            assert_eq!(kind.read(&json), expected, "{kind:?} {json}");
        }
    }

    #[test]
    fn instants_have_one_form() {
        let at = date_time("2026-11-24T09:30:00.75+01:00").unwrap();
        assert_eq!(instant(&at), "2026-11-24T08:30:00Z");
    }
}
