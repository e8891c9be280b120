//! The body of a request.

use serde::Serialize;
use serde_json::Value;
use voicegraph_engine::message::ToolSpec;

use crate::openai_llm::config::{Sampling, Settings};

/// `POST {base}/chat/completions`.
#[derive(Debug, Serialize)]
pub(in crate::openai_llm) struct Request<'a> {
    model: &'a str,
    messages: Vec<Message<'a>>,
    stream: bool,
    stream_options: StreamOptions,
    #[serde(flatten)]
    sampling: &'a Sampling,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<ToolChoice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel_tool_calls: Option<bool>,
}

#[derive(Debug, Serialize)]
struct StreamOptions {
    include_usage: bool,
}

/// Whether the model may call tools in this answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::openai_llm) enum ToolChoice {
    /// It may.
    Auto,
    /// It must answer in words.
    None,
}

/// One message of the conversation.
#[derive(Debug, PartialEq, Serialize)]
#[serde(tag = "role", rename_all = "lowercase")]
pub(in crate::openai_llm) enum Message<'a> {
    /// The prompt.
    System { content: &'a str },
    /// What the caller said.
    User { content: &'a str },
    /// What the agent said, and the tools it called.
    Assistant {
        content: Option<&'a str>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        tool_calls: Vec<FunctionCall<'a>>,
    },
    /// The result of one call. There is one for each call, directly after the message that made it.
    Tool { tool_call_id: &'a str, content: &'a str },
}

/// A tool call as the model made it.
#[derive(Debug, PartialEq, Serialize)]
pub(in crate::openai_llm) struct FunctionCall<'a> {
    id: &'a str,
    r#type: &'static str,
    function: CalledFunction<'a>,
}

#[derive(Debug, PartialEq, Serialize)]
struct CalledFunction<'a> {
    name: &'a str,
    arguments: &'a str,
}

/// A tool that the model may call.
#[derive(Debug, Serialize)]
pub(in crate::openai_llm) struct Tool<'a> {
    r#type: &'static str,
    function: Function<'a>,
}

#[derive(Debug, Serialize)]
struct Function<'a> {
    name: &'a str,
    description: &'a str,
    parameters: &'a Value,
}

impl<'a> Request<'a> {
    /// A streamed request. `tool_choice` and `parallel_tool_calls` are legal only beside tools.
    pub(in crate::openai_llm) fn new(
        settings: &'a Settings,
        messages: Vec<Message<'a>>,
        tools: Vec<Tool<'a>>,
        choice: ToolChoice,
    ) -> Self {
        let with_tools = !tools.is_empty();
        Self {
            model: &settings.model,
            messages,
            stream: true,
            stream_options: StreamOptions { include_usage: true },
            sampling: &settings.sampling,
            tools,
            tool_choice: with_tools.then_some(choice),
            parallel_tool_calls: settings.parallel_tool_calls.filter(|_| with_tools),
        }
    }

    /// The JSON text.
    pub(in crate::openai_llm) fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("text keys and finite numbers can always be written")
    }
}

impl<'a> FunctionCall<'a> {
    /// The call `id` of the function `name`; `arguments` is JSON text.
    pub(in crate::openai_llm) fn new(id: &'a str, name: &'a str, arguments: &'a str) -> Self {
        Self { id, r#type: "function", function: CalledFunction { name, arguments } }
    }
}

impl<'a> From<&'a ToolSpec> for Tool<'a> {
    fn from(spec: &'a ToolSpec) -> Self {
        let ToolSpec { name, description, parameters, .. } = spec;
        Self { r#type: "function", function: Function { name, description, parameters } }
    }
}
