//! One connection.
//!
//! ```text
//!   faces ──with()──> Core (pure) ──outbox──> driver ──> UDP sockets, one for each address
//!                       ↑   └──────notices──> driver ──> the user's functions
//!                       └───datagrams, time── driver
//! ```
//!
//! [`core::Core`] holds str0m and everything that is known of the connection, under one lock. It
//! never waits and never calls a user's function: what is to be sent or told is queued, in order,
//! and the one task of the connection ([`driver`]) sends and tells it without the lock.
//!
//! Addresses are the host's own, over UDP. Relays, reflexive candidates and ICE over TCP are not
//! part of this build.

mod channels;
mod ciphers;
mod core;
mod driver;
mod guard;
mod handle;
mod media_stats;
mod member;
mod negotiation;
mod notice;
mod receiving;
mod sections;
mod sending;
mod shared;
#[cfg(any(test, feature = "fuzzing"))]
mod side;
mod sockets;
mod stats;
#[cfg(test)]
mod tests;
mod transceivers;

pub(crate) use handle::{PeerConnection, check_configuration};
pub(crate) use member::Member;
pub(crate) use shared::Shared;
#[cfg(feature = "fuzzing")]
pub(crate) use side::Side;
pub(crate) use transceivers::Transceiver;
