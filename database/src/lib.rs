//! The data that calls read and write: PostgreSQL in staging and production, SQLite in a file for
//! development.
//!
//! ```text
//!   Options ──build──> Settings ──> Database ──acquire──> Lease ──> a connection, back on drop
//!   as written         checked      one pool per graph
//! ```
//!
//! Callers write their own SQL: this crate gives a living connection and sorts errors into classes.
//! What a tool is, and what a model is told of an error, is the matter of the `db_tool` node.

pub mod appointments;
mod connection;
mod error;
pub mod migrate;
mod options;
mod pool;
mod resource;
pub mod seed;
mod sqlite;
pub mod verify;

pub use connection::Connection;
pub use error::{ConstraintKind, DatabaseError, Unavailable};
pub use options::{Dialect, Options, Settings};
pub use pool::{Database, Figures, Lease};
pub use sqlite::SqliteFile;
