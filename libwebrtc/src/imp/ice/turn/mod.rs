//! A client of TURN (RFC 8656), pure: time and datagrams come in, datagrams and events go out.
//!
//! ```text
//!   New ── Allocate ──> challenged (401) ── Allocate, signed ──> Allocated ── Refresh … ──> Ended
//!                                                                    │
//!                        each peer: CreatePermission, then Send indications, then a channel
//! ```
//!
//! Written here since no crate fits: `rtc-turn` resolves names with a call that blocks and keeps
//! events in a queue without a limit, `turn-client-proto` needs a second set of hash crates.

mod client;
mod peers;

pub(crate) use client::{Client, Credentials, Event, UNREACHABLE};

#[cfg(test)]
mod tests;
