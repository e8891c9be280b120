//! `cartesia_tts`: speaks the agent's answer with a voice of Cartesia.
//!
//! - Input `text`: the answer's pieces as the language model makes them.
//! - Output `audio`: frames of 20 ms; the envelope's `last` marks the turn's last, which may be
//!   empty.
//!
//! One websocket serves a call; it is opened at the call's start and reopened when it breaks. Each
//! turn is one context on it, into which text is streamed as it comes. What the service meter
//! records is the time from a turn's first text to its first sound.
//!
//! ```text
//!              ┌─ node ───────────────────────────────────────────────┐
//!   text ───>  │ chunk ─> state ─> wire ─> line ═══ websocket ═══>    │
//!   audio <──  │ sound <─ state <─ wire <─ line <══ (base64 in JSON)  │
//!              └──────────────────────────────────────────────────────┘
//! ```
//!
//! The wire is that of the provider's websocket reference, version 2026-03-01, at
//! <https://docs.cartesia.ai/api-reference/tts/websocket>.

pub mod chunk;
mod config;
mod context;
mod first_sound;
mod line;
mod node;
mod settings;
mod sound;
mod speaker;
mod spoken;
mod state;
pub mod wire;

pub use config::Options;
pub use node::CartesiaTts;

#[cfg(test)]
mod tests;
