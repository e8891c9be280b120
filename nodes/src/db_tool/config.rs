//! The options of `db_tool`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use voicegraph_engine::message::Effect;

use super::written::Sql;

/// Options of `db_tool`, as written.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// The database that the tools work on.
    pub database: voicegraph_database::Options,
    /// The tools, 1 to 64.
    #[schemars(length(min = 1, max = 64))]
    pub tools: Vec<ToolOptions>,
    /// How many calls of tools run at once within one call, 1 to 16; default 4. Others wait in the
    /// edge. Each holds one connection of the pool, which all calls share.
    #[serde(default = "max_concurrent")]
    #[schemars(range(min = 1, max = 16))]
    pub max_concurrent: u32,
    /// Whether each call leaves a row in the table `call_records` of the database when it ends;
    /// default false. The row holds the session's id, the pipeline's name, the caller's number or
    /// identity where the transport knows it, start and end, why it ended and the number of turns:
    /// no word that was said. The call's place is free when it is written, or after 3 s at the
    /// latest.
    #[serde(default)]
    pub call_records: bool,
}

/// One tool.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ToolOptions {
    /// The name that the model calls: letters, digits, `_` and `-`, 64 at most.
    #[schemars(length(min = 1, max = 64))]
    pub name: String,
    /// What the tool does and when to use it, for the model.
    #[schemars(length(min = 1, max = 1024))]
    pub description: String,
    /// `read` looks something up and is stopped when the caller interrupts; `write` changes
    /// something and is finished once begun. A `read` that changes something is refused by the
    /// database.
    pub effect: EffectOption,
    /// What the model gives to the tool, by name. In the SQL `:name` stands for the value.
    #[serde(default)]
    pub parameters: BTreeMap<String, ParameterOptions>,
    /// One statement, or an array of them that run in one transaction, the last one's rows being
    /// the result; or a table with such a text for `postgres` and one for `sqlite`, where one text
    /// cannot serve both. `:name` stands for a parameter, and for what is known of the call:
    /// `:session_id`, `:call_started_at`, `:caller` (text; null where the transport does not say
    /// who calls), `:idempotency_key` (text, the same for a repeated call) and `:variable_name` for
    /// the variable `name` of `[variables]`.
    pub sql: Sql,
    /// How long the tool may take in ms, 50 to 60000; default 3000, as long as a caller waits after
    /// a "one moment". Then a read is stopped, and a write is undone unless its end is under way.
    /// A call that is hung up ends no sooner than a write that it has begun.
    #[serde(default = "timeout_ms")]
    #[schemars(range(min = 50, max = 60_000))]
    pub timeout_ms: u32,
    /// The most rows that the model is given, 1 to 1000; default 20. It is told where there are
    /// more.
    #[serde(default = "max_rows")]
    #[schemars(range(min = 1, max = 1000))]
    pub max_rows: u32,
    /// The most bytes of JSON that the model is given, 100 to 100000; default 8000, about 2000
    /// tokens, which the model reads again with each answer of the call.
    #[serde(default = "max_bytes")]
    #[schemars(range(min = 100, max = 100_000))]
    pub max_bytes: u32,
    /// The column of the result that holds an IANA time zone (`Europe/London`). Times of its row
    /// are told by that zone's clock, with its offset and the day of the week; without it, in UTC.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// Errors for constraints, by the constraint's name: `{ appointments_no_overlap = "slot_taken"
    /// }`. A constraint that is not named here is told as `invalid_argument`.
    #[serde(default)]
    pub errors: BTreeMap<String, String>,
    /// The error where the last statement gives no row and changes none: `"not_found"`. Without it,
    /// none is a result like others. A write that ends so is undone.
    #[serde(default)]
    pub none: Option<String>,
}

/// Whether a tool changes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EffectOption {
    /// Looks something up.
    Read,
    /// Changes something.
    Write,
}

impl From<EffectOption> for Effect {
    fn from(effect: EffectOption) -> Self {
        match effect {
            EffectOption::Read => Self::Read,
            EffectOption::Write => Self::Write,
        }
    }
}

/// One parameter.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParameterOptions {
    /// The type of the value.
    #[serde(rename = "type")]
    pub kind: TypeOption,
    /// What a string holds: `date` (`2026-11-24`), `date-time` (`2026-11-24T09:30:00+01:00`, offset
    /// included) or `time` (`09:30`). It is bound as such, not as text; SQLite gets a `date-time`
    /// in UTC, to the second, with `Z` at the end.
    #[serde(default)]
    pub format: Option<Format>,
    /// What the model is to put there.
    #[serde(default)]
    pub description: Option<String>,
    /// The only strings that are allowed.
    #[serde(default, rename = "enum")]
    #[schemars(length(min = 1, max = 100))]
    pub choices: Option<Vec<String>>,
    /// The smallest number.
    #[serde(default)]
    pub minimum: Option<f64>,
    /// The largest number.
    #[serde(default)]
    pub maximum: Option<f64>,
    /// The most characters of a string, 1 to 10000; default 200.
    #[serde(default)]
    #[schemars(range(min = 1, max = 10_000))]
    pub max_length: Option<u32>,
    /// Whether it must be given; default true. What is left out is null in the SQL.
    #[serde(default = "required")]
    pub required: bool,
}

/// The JSON type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TypeOption {
    /// Text, or what `format` says.
    String,
    /// A whole number of 64 bits.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
}

/// What a string holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// A day.
    Date,
    /// An instant.
    DateTime,
    /// A time of day.
    Time,
}

fn max_concurrent() -> u32 {
    4
}

fn timeout_ms() -> u32 {
    3_000
}

fn max_rows() -> u32 {
    20
}

fn max_bytes() -> u32 {
    8_000
}

fn required() -> bool {
    true
}
