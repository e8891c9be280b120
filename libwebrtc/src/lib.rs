//! LiveKit's `libwebrtc` crate, on Rust: the unchanged `livekit` crate compiles against it by
//! `[patch.crates-io]`, and speaks WebRTC through `str0m` instead of a downloaded C++ library.
//!
//! ```text
//!  livekit ──calls──> peer_connection, data_channel, … (faces: names and signatures of upstream)
//!                            │
//!                           imp ── core (str0m, sans-IO) <── driver (one task, all sockets)
//! ```
//!
//! The public modules are faces: they carry upstream's names and hand over to `imp`, where the work
//! is. Data and sound are complete, end-to-end encryption too. What this build lacks (video, sound
//! devices) is typed where `livekit` names it. It answers with an error that says so, or warns once
//! in the log where a signature has no room for an error.

mod enum_dispatch;
mod error;
mod imp;

pub mod audio_frame;
pub mod audio_source;
pub mod audio_stream;
pub mod audio_track;
pub mod data_channel;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub mod ice_candidate;
pub mod media_stream;
pub mod media_stream_track;
pub mod native;
pub mod peer_connection;
pub mod peer_connection_factory;
pub mod prelude;
pub mod rtp_parameters;
pub mod rtp_receiver;
pub mod rtp_sender;
pub mod rtp_transceiver;
pub mod session_description;
pub mod stats;
pub mod video_frame;
pub mod video_source;
pub mod video_stream;
pub mod video_track;

pub use error::{MediaType, RtcError, RtcErrorType};
