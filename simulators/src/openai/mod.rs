//! OpenAI's chat completions, `POST /v1/chat/completions`, after the provider's OpenAPI description
//! (openai-openapi, 2026-08-21), streaming and not, and `GET /v1/models`. Requests are checked as
//! strictly as the provider checks them; what is answered comes from the script's rules.
//!
//! ```text
//! body --decode--> Request --Rules--> Answer --events--> parts, each with its instant --> SSE
//! ```

mod answer;
mod arguments;
mod body;
mod complete;
mod event;
mod refusal;
mod request;
mod rules;
mod script;
mod token;

pub(crate) use complete::{Shared, answer};
pub(crate) use request::decode as decode_request;
pub(crate) use script::Options;
pub use script::{Fault, Rule, Script, ToolCall, When};
