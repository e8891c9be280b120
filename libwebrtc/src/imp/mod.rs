//! What works behind the faces.
//!
//! ```text
//!  peer_connection ── core: state of one connection, pure (time and datagrams are arguments)
//!        │            driver: its task, which sends, receives and calls the user
//!        │            ice, sdp, media: sockets and relays, descriptions, sections of sound
//!        ├── channel: a data channel as its users hold it
//!        ├── track:   a track as its users hold it
//!        ├── feed:    a source of sound, and the senders that it feeds
//!        ├── listener: one who listens to a remote track
//!        └── callback: one slot for a user's function
//!  audio ──── jitter buffer, Opus, source: pure state
//!  ice ────── STUN, a relay's client, framing on TCP: pure; streams that are polled
//!  cryptor ── keys of a room, and AES-GCM for its data packets and its sound
//!  devices ── two switches for sound devices that are not there
//!  absent ─── says once what this build leaves out
//! ```

pub(crate) mod absent;
pub(crate) mod audio;
pub(crate) mod callback;
pub(crate) mod channel;
pub(crate) mod cryptor;
pub(crate) mod devices;
pub(crate) mod feed;
pub(crate) mod ice;
pub(crate) mod listener;
pub(crate) mod peer_connection;
pub(crate) mod track;
