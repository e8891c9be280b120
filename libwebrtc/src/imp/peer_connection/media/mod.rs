//! Sections of media: what is sent and received in each, and what is counted of it.
//!
//! ```text
//!   Transceiver ──┬── Sending ── Outbound     track ─> feed ─> cipher ─> RTP, and RTP once more
//!                 └── Receiving ── Inbound    RTP ─> cipher ─> jitter buffer ─> track
//! ```
//!
//! To read: a section and all of them ([`transceivers`]), then both ways of sound ([`sending`],
//! [`receiving`]), then what they lean on. Opus, pacing and the jitter buffer are in
//! [`crate::imp::audio`], which is pure. What the descriptions say is read in [`super::sdp`].

mod ciphers;
mod inbound;
mod member;
mod receiving;
mod sending;
mod stats;
mod transceivers;

pub(super) use member::Key;
pub(crate) use member::Member;
#[cfg(test)]
pub(super) use sending::{RECENT_LIMIT, REPAIRS_LIMIT};
pub(super) use stats::{received, sent};
pub(crate) use transceivers::Transceiver;
pub(super) use transceivers::{LIMIT, Transceivers, to_str0m};
