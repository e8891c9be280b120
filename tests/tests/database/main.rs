//! The database from outside: a PostgreSQL server of the tests' own and SQLite files, real clocks.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod clinic;
mod finish;
mod injection;
mod interrupted;
mod killed;
mod migrate;
mod place;
mod pool;
mod pool_model;
mod records;
mod repeats;
mod runaway;
mod schema;
mod seed;
mod served;
mod tls;
mod tools;
mod verify;
mod watched;
