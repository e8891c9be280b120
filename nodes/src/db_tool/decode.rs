//! The readers of what the pipeline's author and the model write, for fuzzing: each takes anything
//! and must neither panic nor hang.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Value as Json, json};
use sqlx::{Arguments as _, Postgres, Sqlite};
use voicegraph_database::Dialect;

use super::dialect::Speech;
use super::idempotency;
use super::schema::Parameters;
use super::sql::{self, SqlError};
use super::value::{Type, Value};

/// One parameter of each type, named by it.
static PARAMETERS: LazyLock<Parameters> = LazyLock::new(|| {
    let options = json!({
        "text": { "type": "string", "max_length": 20 },
        "choice": { "type": "string", "enum": ["a", "b"], "required": false },
        "date": { "type": "string", "format": "date", "required": false },
        "at": { "type": "string", "format": "date-time", "required": false },
        "time": { "type": "string", "format": "time", "required": false },
        "integer": { "type": "integer", "minimum": -3, "required": false },
        "number": { "type": "number", "maximum": 0.5, "required": false },
        "boolean": { "type": "boolean", "required": false },
    });
    Parameters::new(&serde_json::from_value(options).expect("these are options"))
});

/// A statement as a database gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The text, with positions in place of names.
    pub text: String,
    /// How many values are to be bound.
    pub values: usize,
}

/// Why a text is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Each mistake in words.
    pub mistakes: Vec<String>,
    /// Whether there is nothing wrong but positions written by hand.
    pub only_positions: bool,
}

/// Reads a statement with a parameter of each type.
///
/// # Errors
/// Every mistake found.
pub fn statement(text: &str, dialect: Dialect) -> Result<Bound, Refusal> {
    let types: BTreeMap<&str, Type> = PARAMETERS.types().collect();
    let parsed = sql::parse(text, dialect, &types);
    let parsed = parsed.map(|one| Bound { text: one.text, values: one.names.len() });
    parsed.map_err(|mistakes| Refusal {
        only_positions: mistakes.iter().all(|one| matches!(one, SqlError::Placeholder(..))),
        mistakes: mistakes.iter().map(ToString::to_string).collect(),
    })
}

/// Checks arguments against the schema, makes their key, and binds them as for each dialect; says
/// how many values were bound.
///
/// # Errors
/// What the model is told.
///
/// # Panics
/// Where what passed the check cannot be bound.
pub fn arguments(arguments: &Json) -> Result<usize, String> {
    let values = PARAMETERS.check(arguments)?;
    assert_eq!(idempotency::key("session", "tool", &values).len(), 64);
    let values: Vec<&Value> = values.values().collect();
    let bound = [
        Postgres::bind(&values).map(|bound| bound.len()),
        Sqlite::bind(&values).map(|bound| bound.len()),
    ];
    for bound in bound {
        assert_eq!(bound.expect("what passed the check is bound"), values.len());
    }
    Ok(values.len())
}
