//! A tool call, which carries the way back for its own result.
//!
//! Since the reply travels in the call, using a tool is no cycle in the graph, and both the wait in
//! the edge and the service time of the tool are measured.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::sync::oneshot;

use super::{Payload, PayloadKind};

/// What a model is told of a tool.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolSpec {
    /// The function's name: `[A-Za-z0-9_-]`, 1 to 64 characters.
    pub name: String,
    /// What the tool does and when to use it, for the model.
    pub description: String,
    /// The JSON Schema of the arguments, an object.
    pub parameters: Value,
    /// Whether the tool changes anything.
    pub effect: Effect,
}

/// Whether a tool changes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Looks something up: stopped when the caller interrupts.
    Read,
    /// Changes something: finished once begun, whatever the caller does.
    Write,
}

/// One call of one tool.
#[derive(Clone, Debug)]
pub struct ToolCall {
    /// The provider's id of the call, unique within the session.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// The arguments: a JSON object, not yet compared with the tool's schema.
    pub arguments: Value,
    /// The way back.
    pub reply: ToolReply,
}

impl Payload for ToolCall {
    const KIND: PayloadKind = PayloadKind::ToolCall;
}

/// What a tool gave back: a JSON value for the model, or a failure that it can talk about.
pub type ToolResult = Result<Value, ToolError>;

/// A tool's failure as the model is told of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{failure}: {message}")]
pub struct ToolError {
    /// The class of the failure.
    pub failure: ToolFailure,
    /// A sentence for the model. It holds nothing that the caller may not hear.
    pub message: String,
}

/// The classes of failure that a model can act on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ToolFailure {
    /// The arguments do not fit the tool's schema.
    #[error("invalid_argument")]
    InvalidArgument,
    /// What was asked for does not exist.
    #[error("not_found")]
    NotFound,
    /// The tool cannot work now.
    #[error("unavailable")]
    Unavailable,
    /// A failure that the pipeline's author named, `slot_taken` for example.
    #[error("{0}")]
    Named(String),
}

/// The way back for one result. The first answer counts; a reply dropped unanswered is seen by the
/// caller as [`ToolFailure::Unavailable`].
#[derive(Clone, Debug)]
pub struct ToolReply(Arc<Mutex<Option<oneshot::Sender<ToolResult>>>>);

impl ToolReply {
    /// A reply and the receiver that waits for it.
    pub fn new() -> (Self, oneshot::Receiver<ToolResult>) {
        let (sender, receiver) = oneshot::channel();
        (Self(Arc::new(Mutex::new(Some(sender)))), receiver)
    }

    /// Answers. Returns the result where nobody waits for it, or where it was already answered.
    ///
    /// # Errors
    /// The result, given back.
    pub fn send(&self, result: ToolResult) -> Result<(), ToolResult> {
        let sender = self.0.lock().expect("no panic holds this lock").take();
        match sender {
            Some(sender) => sender.send(result),
            None => Err(result),
        }
    }

    /// Whether nobody waits for the result any more.
    pub fn is_abandoned(&self) -> bool {
        let sender = self.0.lock().expect("no panic holds this lock");
        sender.as_ref().is_none_or(oneshot::Sender::is_closed)
    }
}
