//! What the model says to one request: text or tool calls, cut into tokens, and what it cost.

use serde_json::{Value, json};

use super::request::{Choice, Request};
use super::rules::Chosen;
use super::script::Script;
use super::token;

/// Tokens that each message costs beside its text (OpenAI cookbook, "How to count tokens").
const MESSAGE_TOKENS: usize = 3;

/// An answer, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) text: Option<String>,
    pub(super) calls: Vec<Call>,
    pub(super) finish_reason: &'static str,
    pub(super) usage: Usage,
}

/// A tool call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) arguments: String,
}

/// Tokens used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Usage {
    prompt: usize,
    completion: usize,
}

impl Answer {
    /// What `chosen` (or the default reply) says to `request`, the `number`-th.
    pub(super) fn new(
        script: &Script,
        chosen: Option<&Chosen<'_>>,
        request: &Request,
        number: u64,
        garble_arguments: bool,
    ) -> Self {
        let reply = chosen.map_or(Some(&script.default_reply), |it| it.rule.reply.as_ref());
        let scripted =
            chosen.into_iter().flat_map(|it| it.rule.tool_calls.iter().zip(&it.arguments));
        let calls = scripted.enumerate().map(|(index, (call, whole))| Call {
            id: format!("call_{number:08}_{index}"),
            name: call.name.clone(),
            arguments: arguments(whole, garble_arguments),
        });
        let calls: Vec<_> = calls.collect();
        let (text, is_cut) = limit(reply, request.token_limit);
        let finish_reason = match () {
            () if is_cut => "length",
            () if !calls.is_empty() && request.choice != Choice::Forced => "tool_calls",
            () => "stop",
        };
        let usage = Usage {
            prompt: request.messages.iter().map(|one| cost(one.text())).sum(),
            completion: text.as_deref().map_or(0, token::count)
                + calls
                    .iter()
                    .map(|call| token::fragments(&call.arguments).len() + 1)
                    .sum::<usize>(),
        };
        Self { text, calls, finish_reason, usage }
    }

    /// The message of an answer that is not streamed.
    pub(super) fn message(&self) -> Value {
        let mut message = json!({ "role": "assistant", "content": self.text, "refusal": null });
        if !self.calls.is_empty() {
            let calls: Vec<_> = self.calls.iter().map(Call::value).collect();
            message["tool_calls"] = json!(calls);
        }
        message
    }
}

impl Call {
    fn value(&self) -> Value {
        json!({
            "id": self.id,
            "type": "function",
            "function": { "name": self.name, "arguments": self.arguments },
        })
    }
}

impl Usage {
    /// The `usage` object.
    pub(super) fn value(self) -> Value {
        json!({
            "prompt_tokens": self.prompt,
            "completion_tokens": self.completion,
            "total_tokens": self.prompt + self.completion,
            "prompt_tokens_details": {
                "cached_tokens": 0, "cache_write_tokens": 0, "audio_tokens": 0,
            },
            "completion_tokens_details": {
                "reasoning_tokens": 0,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        })
    }
}

fn cost(text: &str) -> usize {
    token::count(text) + MESSAGE_TOKENS
}

/// Arguments as scripted, or broken off where the fault asks for it.
fn arguments(scripted: &str, garbled: bool) -> String {
    let end = if garbled { scripted.len() - 1 } else { scripted.len() };
    scripted[..end].to_owned()
}

/// At most `limit` tokens of `reply`, and whether that cut it.
fn limit(reply: Option<&String>, limit: Option<usize>) -> (Option<String>, bool) {
    let Some(reply) = reply else { return (None, false) };
    let tokens = token::tokens(reply);
    let kept = limit.unwrap_or(tokens.len()).min(tokens.len());
    (Some(tokens[..kept].concat()), kept < tokens.len())
}
