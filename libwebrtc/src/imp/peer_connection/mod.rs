//! One connection.
//!
//! ```text
//!   faces ──with()──> Core (pure) ──outbox──> driver ──> network: sockets, streams, relays
//!                       ↑   └──────notices──> driver ──> the user's functions
//!                       └───datagrams, time── driver
//! ```
//!
//! [`core::Core`] holds str0m and everything that is known of the connection, under one lock. It
//! never waits and never calls a user's function: what is to be sent or told is queued, in order,
//! and the one task of the connection ([`driver`]) sends and tells it without the lock.
//!
//! Beside our own addresses there are relays, those that servers see, and TCP towards a peer that
//! listens: [`network::Network`] has them all, and what is found goes to [`candidates`].

mod candidates;
mod channels;
mod ciphers;
mod core;
mod driver;
mod guard;
mod handle;
mod inbound;
mod media_stats;
mod member;
mod negotiation;
mod network;
mod notice;
mod receiving;
mod sections;
mod sending;
mod servers;
mod sessions;
mod shared;
#[cfg(any(test, feature = "fuzzing"))]
mod side;
mod sockets;
mod stats;
mod streams;
#[cfg(test)]
mod tests;
mod transceivers;

pub(crate) use handle::PeerConnection;
pub(crate) use member::Member;
pub(crate) use shared::Shared;
#[cfg(feature = "fuzzing")]
pub(crate) use side::Side;
pub(crate) use transceivers::Transceiver;
