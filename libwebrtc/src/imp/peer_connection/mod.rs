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
//! Addresses are the host's own, over UDP, and over TCP towards a peer that listens. Relays and
//! reflexive candidates are not part of this build.

mod candidates;
mod channels;
mod core;
mod driver;
mod handle;
mod media;
mod member;
mod negotiation;
mod network;
mod notice;
mod sections;
mod shared;
mod sockets;
mod stats;
mod streams;
mod transceivers;

pub(crate) use handle::{PeerConnection, check_configuration};
pub(crate) use member::Member;
pub(crate) use shared::Shared;
