//! Provider stand-ins that speak the real wire: Deepgram, OpenAI and Cartesia behind one port, from
//! one TOML script. Tests reach them through an in-memory pipe under a paused clock, where every
//! delay comes out exact; `voicegraph simulate` serves the same code on TCP to official SDKs.
//!
//! ```text
//! script.toml --Script::from_toml--> Script --Simulators::new--> Simulators
//!                                                                    |
//!   any AsyncRead + AsyncWrite --serve--> HTTP/1.1, routed by path --+
//!                                           /v1/listen            deepgram   (websocket)
//!                                           /v1/chat/completions  openai     (SSE or JSON)
//!                                           /tts/websocket|sse|bytes  cartesia
//! ```
//!
//! Each wire is written from the provider's reference, never from the nodes that speak it, so that
//! a mistake on one side shows. The scripted caller is plain data here; who plays it is the
//! engine's simulated transport.

pub mod caller;
pub mod cartesia;
pub mod deepgram;
mod dial;
pub mod fault;
pub mod openai;

mod audio;
pub mod decode;
mod log;
mod script;
mod server;

pub use audio::{Speech, SpeechError};
pub use dial::HOSTS;
pub use script::{Files, Folder, Place, Script, ScriptError};
pub use server::Simulators;
