//! Cartesia's text-to-speech, after the provider's SDK 4.2.0 and its documentation of 2026:
//! contexts over one websocket, and the two HTTP ways. Text that the script has a recording for is
//! played from it, however the text was cut on its way; any other text is a buzz of fitting length.
//!
//! ```text
//! text --decode--> Request --Context: Gather--> text to speak --Speaker--> samples and word times
//!                             queue on an exact grid --> chunk, timestamps, flush_done, done
//! ```

mod context;
mod error;
mod gather;
mod http;
mod listen;
mod request;
mod script;
mod session;
mod speaker;
mod text;
mod wire;

pub(crate) use http::answer as answer_http;
pub(crate) use listen::{Shared, answer as answer_websocket};
pub(crate) use request::decode as decode_request;
pub(crate) use script::Options;
pub use script::{Fault, Line, Script};
