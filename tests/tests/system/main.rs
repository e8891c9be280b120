//! The whole program, from outside: its commands, its sockets, its files. Real clocks, real processes.

mod sdk;
