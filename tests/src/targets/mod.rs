//! One target for each decoder of bytes from outside: a function that takes any bytes, and panics
//! where the decoder breaks what it promises.
//!
//! `tests/tests/fuzz.rs` runs each over its corpus and changes of it, in the build of all tests;
//! `tests/fuzz`, a workspace of its own, has libFuzzer search with a sanitizer, and compiles this
//! folder as its own. The seeds are in `tests/fuzz/corpus`.

mod arguments;
mod candidate;
mod cartesia;
mod channels;
mod config;
mod cryptor;
mod datagrams;
mod deepgram;
mod description;
mod dispatch;
mod endpoint;
mod jitter;
mod jobs;
mod openai;
mod opus;
mod recording;
mod requests;
mod script;
mod sql;
mod wav;
mod websocket;

pub use arguments::arguments;
pub use candidate::candidate;
pub use cartesia::cartesia;
pub use channels::channels;
pub use config::config;
pub use cryptor::cryptor;
pub use datagrams::datagrams;
pub use deepgram::deepgram;
pub use description::description;
pub use dispatch::dispatch;
pub use endpoint::endpoint;
pub use jitter::jitter;
pub use jobs::jobs;
pub use openai::openai;
pub use opus::opus;
pub use recording::recording;
pub use requests::requests;
pub use script::script;
pub use sql::sql;
pub use wav::wav;
pub use websocket::websocket;

/// The text that the bytes begin with.
fn text(bytes: &[u8]) -> &str {
    let valid = match std::str::from_utf8(bytes) {
        Ok(_) => bytes.len(),
        Err(error) => error.valid_up_to(),
    };
    std::str::from_utf8(&bytes[..valid]).expect("so far it is valid")
}
