//! `db_tool`: tools for the model that are declared in TOML and written in SQL.
//!
//! ```text
//!   ToolCall ──schema──> arguments ──bind──> statements in one transaction ──outcome──> JSON
//!                            │                    │
//!                            └─idempotency─> key ─┘ a write's first statement
//! ```
//!
//! In: `call`, tool calls that carry their own reply. Out: nothing but those replies. A tool that
//! reads is stopped with its turn. One that writes is finished once it is begun, and calling it
//! again in the same call with the same arguments gives the first result: its key is written in the
//! same transaction. What a database says goes to the log; the model gets one of a few short
//! errors.
//!
//! Reading order: `written` (the SQL option), `config`, `settings`, `sql`, `value`, `schema` make a
//! tool; `verify` prepares it; `node`, `job`, `transaction`, `dialect`, `outcome`, `local`,
//! `failure` and `idempotency` run it; `record` writes what is kept of a call.

mod config;
pub mod decode;
mod dialect;
mod failure;
mod idempotency;
mod job;
mod local;
mod node;
mod outcome;
mod record;
mod schema;
mod settings;
mod sql;
#[cfg(test)]
mod tests;
mod transaction;
mod value;
mod verify;
mod written;

pub use config::{EffectOption, Format, Options, ParameterOptions, ToolOptions, TypeOption};
pub use node::DbTool;
pub use written::{Sql, Statements};
