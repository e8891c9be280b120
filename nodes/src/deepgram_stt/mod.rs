//! Speech to text by Deepgram's streaming API, version 1.
//!
//! ```text
//!   audio  ──> tape ──> binary frames ──>  wss://…/v1/listen
//!   speech ──> Finalize               ──>        │
//!   transcript <── utterance <── Results, UtteranceEnd
//! ```
//!
//! In: the caller's audio (16 kHz), and, where the graph gives it, the voice detector's speech
//! events, by which the provider is asked for the final words at once. Out: interims, each
//! replacing the one before, and finals, each told once. The node's latency is the time from the
//! end of a final's last word to the arrival of the message that settled it.
//!
//! The connection opens with the call. What is said while there is none is kept and sent
//! afterwards; after a loss the audio since the last final is sent again, and words that are
//! settled already are not told twice. Whose turn it is, this node leaves to the turn detector.
//!
//! Wire: developers.deepgram.com, "Live Audio" reference and its AsyncAPI file of 2026-07-22.

mod clock;
mod config;
mod link;
mod node;
mod progress;
mod state;
mod tape;
mod utterance;
pub mod wire;

pub use config::Options;
pub use node::DeepgramStt;
