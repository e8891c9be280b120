//! Networks of the test's own: namespaces, and wires between them that lose, delay, reorder and
//! block, by a seed.
//!
//! ```text
//!  client 10.7.1.2 ── wire ──┐
//!  client 10.7.2.2 ── wire ──┤ server 10.7.0.1
//!  client 10.7.3.2 ── wire ──┘
//! ```
//!
//! A wire is a pair of TUN devices and a thread that carries packets between them: `tc netem` is
//! no part of every kernel, and has no seed in every iproute2. Here the fate of a packet of sound
//! is that of its sequence number, so that two receivers of a track lose the same packets.

mod fate;
mod namespace;
mod star;
mod wire;

pub use fate::{Conditions, Counts, Loss, Passage};
pub use namespace::Namespace;
pub use star::{Client, SERVER, Star};
pub use wire::Wire;
