//! A client of TURN (RFC 8656), pure: time and datagrams come in, datagrams and events go out.
//!
//! ```text
//!   New ── Allocate ──> challenged (401) ── Allocate, signed ──> Allocated ── Refresh … ──> Ended
//!                                                                    │
//!                        each peer: CreatePermission, then Send indications, then a channel
//! ```
//!
//! Written here since no crate fits: one resolves names while it blocks and lets its queues grow,
//! the other brings four hash crates of its own and does not tell the server's error.

mod client;
mod peers;

pub(crate) use client::{Client, Credentials, Event, UNREACHABLE};

#[cfg(test)]
mod tests;
