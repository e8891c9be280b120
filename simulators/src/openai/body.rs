//! The parts of a request with shapes of their own: messages, tools, the choice among them.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::refusal::Refusal;
use super::request::{Choice, is_function_name, type_error};

/// One message, as far as rules and usage look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Message {
    /// `system` or `developer`.
    System(String),
    /// The caller.
    User(String),
    /// The agent: text, and the ids and names of its tool calls.
    Assistant(String, Vec<(String, String)>),
    /// A tool's result: the id it answers, and the text.
    Tool(String, String),
}

/// A tool on offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tool {
    pub(super) name: String,
}

impl Message {
    /// All its text, for usage.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::System(text) | Self::User(text) => text,
            Self::Assistant(text, _) | Self::Tool(_, text) => text,
        }
    }
}

/// Reads `messages`, each result in its place after the call.
pub(super) fn messages(value: Option<&Value>) -> Result<Vec<Message>, Refusal> {
    let list = match value {
        None | Some(Value::Null) => {
            let message = "Missing required parameter: 'messages'.";
            return Err(Refusal::bad("messages", message).with_code("missing_required_parameter"));
        }
        Some(value) => value.as_array().ok_or_else(|| type_error("messages", "an array"))?,
    };
    if list.is_empty() {
        let message = "Invalid 'messages': empty array. Expected an array with minimum length 1.";
        return Err(Refusal::bad("messages", message).with_code("empty_array"));
    }
    let messages: Vec<_> = list
        .iter()
        .enumerate()
        .map(|(index, value)| message(&format!("messages[{index}]"), value))
        .collect::<Result<_, _>>()?;
    check_results(&messages)?;
    Ok(messages)
}

fn message(at: &str, value: &Value) -> Result<Message, Refusal> {
    let fields = value.as_object().ok_or_else(|| type_error(at, "an object"))?;
    let content = || content(at, fields.get("content"));
    match fields.get("role").and_then(Value::as_str) {
        Some("system" | "developer") => Ok(Message::System(content()?)),
        Some("user") => Ok(Message::User(content()?)),
        Some("assistant") => assistant(at, fields),
        Some("tool") => match fields.get("tool_call_id").and_then(Value::as_str) {
            Some(id) => Ok(Message::Tool(id.to_owned(), content()?)),
            None => Err(missing(at, "tool_call_id")),
        },
        Some(role) => {
            let message = format!(
                "Invalid value: '{role}'. Supported values are: 'system', 'assistant', 'user', \
                 'tool', and 'developer'."
            );
            Err(Refusal::bad(format!("{at}.role"), message).with_code("invalid_value"))
        }
        None => Err(missing(at, "role")),
    }
}

fn assistant(at: &str, fields: &Map<String, Value>) -> Result<Message, Refusal> {
    let calls = match fields.get("tool_calls") {
        None | Some(Value::Null) => Vec::new(),
        Some(calls) => tool_calls(at, calls)?,
    };
    let text = match fields.get("content") {
        None | Some(Value::Null) if !calls.is_empty() || fields.contains_key("refusal") => {
            String::new()
        }
        other => content(at, other)?,
    };
    Ok(Message::Assistant(text, calls))
}

fn tool_calls(at: &str, calls: &Value) -> Result<Vec<(String, String)>, Refusal> {
    let at = format!("{at}.tool_calls");
    let list = calls.as_array().ok_or_else(|| type_error(&at, "an array"))?;
    if list.is_empty() {
        let message = format!("Invalid '{at}': empty array. Expected minimum length 1.");
        return Err(Refusal::bad(at, message).with_code("empty_array"));
    }
    list.iter().map(|call| tool_call(&at, call)).collect()
}

fn tool_call(at: &str, call: &Value) -> Result<(String, String), Refusal> {
    let function = &call["function"];
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let id = text(&call["id"]).ok_or_else(|| missing(at, "id"))?;
    if call["type"] != "function" {
        return Err(missing(at, "type"));
    }
    let name = text(&function["name"]).ok_or_else(|| missing(at, "function.name"))?;
    text(&function["arguments"]).ok_or_else(|| missing(at, "function.arguments"))?;
    Ok((id, name))
}

/// A string, or the texts of an array of parts.
fn content(at: &str, value: Option<&Value>) -> Result<String, Refusal> {
    let at = format!("{at}.content");
    match value {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Array(parts)) if parts.iter().all(|part| part["type"].is_string()) => {
            Ok(parts.iter().filter_map(|part| part["text"].as_str()).collect())
        }
        Some(Value::Array(_)) => Err(type_error(&at, "parts with a 'type'")),
        _ => Err(type_error(&at, "one of a string or array of objects")),
    }
}

/// Each call must be followed by its results, and each result must follow its call.
fn check_results(messages: &[Message]) -> Result<(), Refusal> {
    let mut open: BTreeSet<&str> = BTreeSet::new();
    for (index, message) in messages.iter().enumerate() {
        if let Message::Tool(id, _) = message {
            if !open.remove(id.as_str()) {
                let text = "Invalid parameter: messages with role 'tool' must be a response to a \
                            preceeding message with 'tool_calls'.";
                return Err(Refusal::bad(format!("messages.[{index}].role"), text));
            }
            continue;
        }
        check_answered(&open)?;
        if let Message::Assistant(_, calls) = message {
            open = calls.iter().map(|(id, _)| id.as_str()).collect();
        }
    }
    check_answered(&open)
}

fn check_answered(open: &BTreeSet<&str>) -> Result<(), Refusal> {
    if open.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = open.iter().copied().collect();
    let message = format!(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to \
         each 'tool_call_id'. The following tool_call_ids did not have response messages: {}",
        ids.join(", ")
    );
    Err(Refusal::bad("messages", message))
}

/// Reads `tools`.
pub(super) fn tools(value: Option<&Value>) -> Result<Vec<Tool>, Refusal> {
    let list = match value {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(value) => value.as_array().ok_or_else(|| type_error("tools", "an array"))?,
    };
    if list.is_empty() {
        let message = "Invalid 'tools': empty array. Expected an array with minimum length 1.";
        return Err(Refusal::bad("tools", message).with_code("empty_array"));
    }
    let tools = list.iter().enumerate().map(|(index, value)| tool(index, value));
    let tools: Vec<_> = tools.collect::<Result<_, _>>()?;
    let names: BTreeSet<_> = tools.iter().map(|tool| tool.name.as_str()).collect();
    if names.len() < tools.len() {
        return Err(Refusal::bad("tools", "Tool names must be unique."));
    }
    Ok(tools)
}

fn tool(index: usize, value: &Value) -> Result<Tool, Refusal> {
    let kind = value["type"].as_str().filter(|kind| ["function", "custom"].contains(kind));
    let Some(kind) = kind else {
        let at = format!("tools[{index}].type");
        return Err(Refusal::bad(&at, format!("Invalid '{at}': expected 'function'.")));
    };
    let at = format!("tools[{index}].{kind}.name");
    let name = value[kind]["name"].as_str().unwrap_or("");
    if !is_function_name(name) {
        let message = format!(
            "Invalid '{at}': string does not match pattern. Expected a string that matches the \
             pattern '^[a-zA-Z0-9_-]{{1,64}}$'."
        );
        return Err(Refusal::bad(at, message).with_code("invalid_value"));
    }
    let parameters = &value[kind]["parameters"];
    if !parameters.is_null() && !parameters.is_object() {
        let at = format!("tools[{index}].{kind}.parameters");
        return Err(type_error(&at, "an object"));
    }
    Ok(Tool { name: name.to_owned() })
}

/// Reads `tool_choice`.
pub(super) fn choice(value: &Value, tools: &[Tool]) -> Result<Choice, Refusal> {
    match (value.as_str(), value["type"].as_str()) {
        (Some("none"), _) => Ok(Choice::None),
        (Some("auto" | "required"), _) | (None, Some("allowed_tools")) => Ok(Choice::Free),
        (None, Some(kind @ ("function" | "custom"))) => {
            let name = value[kind]["name"].as_str().unwrap_or("");
            if tools.iter().any(|tool| tool.name == name) {
                return Ok(Choice::Forced);
            }
            let message = format!("Tool choice '{name}' not found in 'tools' parameter.");
            Err(Refusal::bad("tool_choice", message))
        }
        _ => {
            let message = "Invalid 'tool_choice': expected 'none', 'auto', 'required' or a tool.";
            Err(Refusal::bad("tool_choice", message).with_code("invalid_value"))
        }
    }
}

fn missing(at: &str, field: &str) -> Refusal {
    let at = format!("{at}.{field}");
    let message = format!("Missing required parameter: '{at}'.");
    Refusal::bad(at, message).with_code("missing_required_parameter")
}
