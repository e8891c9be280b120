//! The whole program, from outside: its commands, its sockets, its files. Real clocks, real
//! processes.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod commands;
mod demo;
mod live;
mod refusals;
mod run;
mod sdk;
mod serve;
