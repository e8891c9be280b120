//! The ways to the peer: what a connection listens at and sends from, and what the peer is told of
//! it.
//!
//! ```text
//!   Core ── Wanted ──> Network ──┬── Sockets    one for each address of the machine
//!     ↑                          ├── Streams    TCP towards a peer that listens
//!     └─────── Found ────────────┴── Servers ── Session    STUN, and a relay (TURN)
//! ```
//!
//! To read: what is looked for and found ([`candidates`]), then all of it as the connection's task
//! holds it ([`network`]), then each way by itself. The messages that go over them are in
//! [`crate::imp::ice`], which is pure; checks of paths are str0m's.

mod candidates;
mod network;
mod servers;
mod sessions;
mod sockets;
mod streams;

#[cfg(any(test, feature = "fuzzing"))]
pub(super) use candidates::Found;
pub(super) use candidates::{Candidates, Wanted};
pub(super) use network::{Arrival, Network};
