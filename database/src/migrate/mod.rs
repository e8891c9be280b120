//! Migrations: the schema's versions, one after the other, under a lock.
//!
//! ```text
//!   migrations/<dialect>/NNNN_name.{up,down}.sql ──embedded──> Migrations
//!   up, down: lock ─> check what is applied ─> each in a transaction with its own record ─> unlock
//! ```
//!
//! sqlx's migrator applies, reverts and keeps the records (`_sqlx_migrations`, with checksums of
//! the scripts), so its own command line can read them too. What it lacks stands here: a lock for
//! SQLite, a limit for the wait, a look ahead, and a report of what was done.

mod error;
mod ledger;
mod lock;
mod run;
mod scripts;

pub use error::MigrateError;
pub use ledger::{State, Version};
pub use run::{Down, Migrator};
pub use scripts::{Migrations, Script};
