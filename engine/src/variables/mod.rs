//! What a call is given from outside: declared in the pipeline, checked where it comes in, and read
//! by nodes.
//!
//! ```text
//!   [variables.name] ──compile──> Declarations ─┐
//!   a dispatch's metadata, flags ──> given ─────┴─ parse ──> Variables ──> Transport ──> Context
//!   a room's attributes ──> fill ──────┘
//! ```
//!
//! Only what is declared comes in, with its type and within its limits; everything wrong is told at
//! once, and no value ever stands in an error or a log: it may be a name or a number of a person.
//! Secrets are no variables: they belong in the environment.

mod declaration;
mod given;
mod template;

pub use declaration::{
    DEFAULT_LENGTH, Declaration, Declarations, MAX_LENGTH, MAX_VARIABLES, VariableType,
    is_variable_name,
};
pub use given::{Refusal, Value, Variables, told};
pub use template::{Template, TemplateError, UsedVariable};
