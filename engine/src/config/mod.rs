//! A pipeline's text, made into a checked graph.
//!
//! ```text
//!   source ──> load ──> merge ──> parse ──> interpolate ──> resolve ──> check ──> Graph
//!   files      trees    one tree  draft     draft           kinds,      rules of
//!              spans              nodes,    variables       options,    the whole
//!                                 edges     put in          ports
//! ```
//!
//! Each pass is one file or folder, and gathers all its mistakes before the next begins. A value
//! keeps the place that it was written in through every pass, so that a mistake in an overlay is
//! shown in the overlay. Nothing here reads the environment: variables come from the caller.
//!
//! [`schema()`] and [`manual`] tell editors and people what may be written.

mod check;
mod compile;
mod fingerprint;
mod interpolate;
mod load;
pub mod manual;
mod merge;
mod nesting;
mod options;
mod outside;
mod parse;
mod resolve;
mod schema;
mod scrub;
mod source;
mod template;
mod tree;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod testing;

use crate::diagnostic::suggest;

pub use compile::{Compiled, compile};
pub use interpolate::{Lookup, MAX_EXPANDED_BYTES};
pub use nesting::MAX_NESTING;
pub use parse::{MAX_EDGES, MAX_NODES};
pub use resolve::{EdgeOptions, MAX_LIMIT, MAX_LIMIT_MS};
pub use schema::schema;
pub use source::{BASE_FILE, MAX_FILE_BYTES, Sources};
