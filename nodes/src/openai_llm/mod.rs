//! `openai_llm`: asks a language model over OpenAI's chat completions and streams the answer on.
//!
//! ```text
//!   turn: UserTurn ──> history ──> POST /chat/completions ──> SSE ──> text: TextDelta
//!                         ▲                                    │
//!                         └── results <── tools <── call: ToolCall (in parallel, several steps)
//! ```
//!
//! Follows the API reference of chat completions as of 2026-08 (`POST {base_url}/chat/completions`
//! with `stream: true`), and tolerates how compatible servers deviate from it.
//!
//! - A connection is opened when the call begins and kept: a turn waits for tokens, not for TLS.
//! - Each token goes out at once. The turn's last message has `last` set, and may be empty.
//! - An interruption drops the stream, which stops the generation; the next connection is opened in
//!   the background. A tool that reads is dropped with it; a tool that writes is waited for, and
//!   its result enters the history.
//! - The history holds what the caller heard, not what was generated.
//! - A failure before the first token of an answer is tried again, at the pace of the backoff.
//!   After it, nothing is: the caller would hear the answer's beginning twice. The turn then ends
//!   with what was said, the fault is told, and the call goes on.
//!
//! The node's latency is the time from a request written to the first token of its answer.

mod answer;
mod answering;
mod calls;
mod config;
mod conversation;
pub mod decode;
mod heard;
mod history;
mod keeper;
mod line;
mod node;
mod prompt;
mod reply;
mod sse;
#[cfg(test)]
mod tests;
mod tools;
mod wire;

pub use config::{Options, ReasoningEffort};
pub use node::OpenAiLlm;
