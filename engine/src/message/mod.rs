//! What travels on edges: payload types with units, and the envelope around them.
//!
//! Payloads are cheap to clone, since a port may feed several edges; audio is shared, never copied.
//! The list of kinds is closed: a new payload is a change of the engine, a new node is not.

mod audio;
mod envelope;
mod input;
mod payload;
mod speech;
mod text;
mod tool;

pub use audio::AudioFrame;
pub use envelope::{Envelope, Scope};
pub use input::{BadInput, UserInput};
pub use payload::{Payload, PayloadKind};
pub use speech::{Endpoint, Speech, Transcript};
pub use text::{TextDelta, UserTurn};
pub use tool::{Effect, ToolCall, ToolError, ToolFailure, ToolReply, ToolResult, ToolSpec};
