//! The whole program, from outside: its commands, its sockets, its files. Real clocks, real
//! processes.

mod commands;
mod demo;
mod live;
mod refusals;
mod run;
mod sdk;
mod serve;
