//! OpenAI's chat completions on the wire: what is sent, what comes back, how it refuses. Pure.

mod chunk;
mod refusal;
mod request;

pub(super) use chunk::{CallDelta, Chunk, Event, Usage, decode};
pub(super) use refusal::refusal;
pub(super) use request::{FunctionCall, Message, Request, ToolChoice};
