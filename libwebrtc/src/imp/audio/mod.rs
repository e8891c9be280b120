//! Sound between a track's frames and its RTP packets, both ways, as pure state: time is an
//! argument, sockets and tasks are others' business.
//!
//! ```text
//!  frames ──► source: queue ─► level ─► Opus ──► RTP payload, timestamp, level    (send)
//!  RTP payload, sequence, timestamp ──► jitter: order ─► decode ─► repair ──► frames of 10 ms
//!  receiver reports ──► adapt: bitrate, expected loss ──► Opus
//! ```
//!
//! Everything counts on Opus' RTP clock of 48 kHz ([`clock`]). Other rates are made of it at the
//! ends ([`resample`]).

pub(crate) mod adapt;
pub(crate) mod clock;
pub(crate) mod jitter;
pub(crate) mod level;
pub(crate) mod opus;
pub(crate) mod packet;
pub(crate) mod red;
pub(crate) mod resample;
pub(crate) mod source;

#[cfg(test)]
pub(crate) mod tests;
