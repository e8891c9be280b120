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
//! To read: [`core`], [`shared`] (its lock) and [`driver`] (its task), then by what is looked for:
//! [`ice`] has the ways to the peer, [`sdp`] the descriptions, [`media`] sound and pictures, and
//! [`channels`] data. [`handle`] is what the faces call.

mod channels;
mod core;
mod driver;
mod guard;
mod handle;
mod ice;
mod media;
mod notice;
mod sdp;
mod shared;
#[cfg(any(test, feature = "fuzzing"))]
mod side;
mod stats;
#[cfg(test)]
mod tests;

pub(crate) use handle::PeerConnection;
pub(crate) use media::{Member, Transceiver};
pub(crate) use shared::Shared;
#[cfg(feature = "fuzzing")]
pub(crate) use side::Side;
