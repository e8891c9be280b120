//! The events of a streamed answer.

use serde::Deserialize;
use serde_json::Value;

use super::refusal::broken_off;
use crate::provider::Failure;

/// One event of the stream.
#[derive(Debug, PartialEq)]
pub(in crate::openai_llm) enum Event {
    /// A piece of the answer.
    Chunk(Chunk),
    /// A piece that cannot be read, and why.
    Unreadable(String),
    /// `[DONE]`: nothing follows.
    Done,
}

/// `chat.completion.chunk`, reduced to what the node reads. Compatible servers leave out, or send
/// as `null`, whatever they can, so every field may be absent.
#[derive(Debug, Default, PartialEq, Deserialize)]
pub(in crate::openai_llm) struct Chunk {
    choices: Option<Vec<Choice>>,
    pub(in crate::openai_llm) usage: Option<Usage>,
    error: Option<Value>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
struct Choice {
    delta: Option<Delta>,
    finish_reason: Option<String>,
}

/// What a chunk adds to the answer.
#[derive(Debug, Default, PartialEq, Deserialize)]
pub(in crate::openai_llm) struct Delta {
    /// Text to be spoken.
    pub(in crate::openai_llm) content: Option<String>,
    /// The model's words of refusal, which are to be spoken too.
    pub(in crate::openai_llm) refusal: Option<String>,
    /// Fragments of tool calls.
    pub(in crate::openai_llm) tool_calls: Option<Vec<CallDelta>>,
}

/// A fragment of a tool call: the first has id and name, all have pieces of the arguments' text.
#[derive(Debug, Default, PartialEq, Deserialize)]
pub(in crate::openai_llm) struct CallDelta {
    pub(in crate::openai_llm) index: Option<u64>,
    pub(in crate::openai_llm) id: Option<String>,
    pub(in crate::openai_llm) function: Option<FunctionDelta>,
}

/// The function of a [`CallDelta`].
#[derive(Debug, Default, PartialEq, Deserialize)]
pub(in crate::openai_llm) struct FunctionDelta {
    pub(in crate::openai_llm) name: Option<String>,
    pub(in crate::openai_llm) arguments: Option<String>,
}

/// The tokens that a request cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(in crate::openai_llm) struct Usage {
    pub(in crate::openai_llm) prompt_tokens: u64,
    pub(in crate::openai_llm) completion_tokens: u64,
    pub(in crate::openai_llm) prompt_tokens_details: Option<PromptTokens>,
}

/// What is known of the tokens that were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(in crate::openai_llm) struct PromptTokens {
    pub(in crate::openai_llm) cached_tokens: Option<u64>,
}

impl Chunk {
    /// What the chunk adds to the answer, and the reason where it ends it. Only one choice is ever
    /// asked for.
    pub(in crate::openai_llm) fn into_delta(self) -> (Delta, Option<String>) {
        let choice = self.choices.into_iter().flatten().next().unwrap_or_default();
        (choice.delta.unwrap_or_default(), choice.finish_reason)
    }
}

/// Decodes the data of one event.
///
/// # Errors
/// The provider reports an error in the stream.
pub(in crate::openai_llm) fn decode(data: &str) -> Result<Event, Failure> {
    if data.trim_start().starts_with("[DONE]") {
        return Ok(Event::Done);
    }
    let chunk: Chunk = match serde_json::from_str(data) {
        Ok(chunk) => chunk,
        Err(error) => return Ok(Event::Unreadable(unreadable(&error))),
    };
    match chunk.error.as_ref().filter(|error| is_truthy(error)) {
        Some(error) => Err(broken_off(error)),
        None => Ok(Event::Chunk(chunk)),
    }
}

/// Says where a chunk went wrong. It does not repeat the data, which may hold what the caller is to
/// hear.
fn unreadable(error: &serde_json::Error) -> String {
    let (kind, at) = (error.classify(), error.column());
    format!("unreadable chunk ({kind:?} error at byte {at})")
}

/// What the provider's own client library takes for an error.
fn is_truthy(error: &Value) -> bool {
    match error {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Verdict;

    fn chunk(data: &str) -> Chunk {
        match decode(data).expect(data) {
            Event::Chunk(chunk) => chunk,
            other => panic!("{data} is read as {other:?}"),
        }
    }

    #[test]
    fn reads_the_reference_chunk() {
        let (delta, finish) = chunk(
            r#"{"id":"chatcmpl-abc","object":"chat.completion.chunk","created":1760000000,
                "model":"gpt-4.1-mini-2025-04-14","service_tier":"default",
                "system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"content":"Hel"},
                "logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"x9Q"}"#,
        )
        .into_delta();
        assert_eq!((delta.content.as_deref(), finish), (Some("Hel"), None));
    }

    #[test]
    fn reads_the_usage_chunk_without_choices() {
        let chunk = chunk(
            r#"{"id":"…","object":"chat.completion.chunk","created":1,"model":"…","choices":[],
                "usage":{"prompt_tokens":21,"completion_tokens":9,"total_tokens":30,
                "prompt_tokens_details":{"cached_tokens":7,"cache_write_tokens":0,"audio_tokens":0},
                "completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,
                "accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}"#,
        );
        let details = Some(PromptTokens { cached_tokens: Some(7) });
        let usage =
            Usage { prompt_tokens: 21, completion_tokens: 9, prompt_tokens_details: details };
        assert_eq!(chunk.usage, Some(usage));
        assert_eq!(chunk.into_delta(), (Delta::default(), None));
    }

    #[test]
    fn tolerates_what_compatible_servers_leave_out() {
        for data in [
            r#"{"choices":[{"delta":null,"finish_reason":null}]}"#,
            r#"{"choices":[{"index":0}]}"#,
            r#"{"choices":[],"prompt_filter_results":[{}]}"#,
            r#"{"choices":null}"#,
            r#"{"choices":[{"delta":{"role":"assistant","content":null,"tool_calls":null}}]}"#,
            r#"{"choices":[{"delta":{"reasoning_content":"Hm"}}],"error":null}"#,
            r#"{"usage":{"prompt_tokens":1,"prompt_tokens_details":null}}"#,
            r#"{"usage":{"prompt_tokens_details":{"cached_tokens":null}}}"#,
        ] {
            assert_eq!(chunk(data).into_delta(), (Delta::default(), None), "{data}");
        }
    }

    #[test]
    fn done_ends_the_stream() {
        assert_eq!(decode("[DONE]"), Ok(Event::Done));
        assert_eq!(decode(" [DONE] "), Ok(Event::Done));
    }

    #[test]
    fn an_error_in_the_stream_is_a_failure() {
        let failure = decode(
            r#"{"error":{"message":"secret","type":"server_error","param":null,"code":null}}"#,
        )
        .expect_err("an error");
        assert_eq!(failure, Failure::retry("error in the stream: server_error"));
        let failure = decode(r#"{"error":{"type":"insufficient_quota"}}"#).expect_err("an error");
        assert_eq!(failure.verdict, Verdict::Fatal);
    }

    #[test]
    fn an_unreadable_chunk_is_not_repeated() {
        for data in [r#"{"choices":"my date of birth is"}"#, r#"{"birth":"#] {
            let what = "unreadable chunk";
            match decode(data) {
                Ok(Event::Unreadable(why)) => {
                    assert!(why.starts_with(what) && !why.contains("birth"), "{why}");
                }
                other => panic!("{data} is read as {other:?}"),
            }
        }
    }
}
