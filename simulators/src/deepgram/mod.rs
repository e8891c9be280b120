//! Deepgram's live transcription, `GET /v1/listen`, after the provider's AsyncAPI description
//! (deepgram-api-specs, 2026-07-22): the query decides everything, audio comes as binary frames,
//! results go out as JSON. What is heard comes from the script; *when* it is heard comes from the
//! energy of the audio.
//!
//! ```text
//! query --decode--> Query --+
//! binary --Decoder--> i16 --+-> Hearing --Heard--> Session --due--> websocket
//! text --decode--> Command -+      ^ words: Calls (per tag), from the script
//! ```

mod calls;
mod decoder;
mod hearing;
mod listen;
mod query;
mod script;
mod session;
mod wire;

pub(crate) use listen::{Shared, answer};
pub(crate) use query::decode as decode_query;
pub(crate) use script::Options;
pub use script::{AfterLast, Fault, Script};
pub(crate) use wire::decode as decode_command;
