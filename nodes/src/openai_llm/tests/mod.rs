//! The node against a server end written by hand: raw HTTP/1.1 over an in-memory pipe, with the
//! frames of the API reference, under a paused clock.

mod answers;
mod failures;
mod interruptions;
mod server;
mod tools;
mod world;
