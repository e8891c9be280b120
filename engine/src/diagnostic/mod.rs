//! Mistakes in a pipeline's text: what is wrong, where, and what to write instead.
//!
//! ```text
//!   passes of config ──> Diagnostic { code, labels, help } ──> Diagnostics ──> text with carets
//!                        code from the catalogue               sorted, once    JSON for tools
//! ```
//!
//! A [`Diagnostic`] is about what a person wrote. What the world does wrong is a
//! [`NodeError`](crate::node::NodeError), and our own mistakes are panics.

pub mod codes;
mod json;
mod report;
mod source;
pub(crate) mod suggest;
mod text;

pub use codes::{Code, Severity};
pub use report::{Diagnostic, Diagnostics, Label, MAX_SHOWN};
pub use source::{Files, Position, SourceId, Span};
