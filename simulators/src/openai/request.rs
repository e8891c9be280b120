//! A request body, checked as the provider checks it: what it refuses is refused here, so that a
//! client's mistake shows in a test. Pure; fuzzed.

use serde_json::{Map, Value};

use super::body::{self, Message, Tool};
use super::refusal::Refusal;

/// The arguments that the endpoint knows; any other is a 400.
const KNOWN: [&str; 37] = [
    "model",
    "messages",
    "stream",
    "stream_options",
    "max_completion_tokens",
    "max_tokens",
    "temperature",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "seed",
    "stop",
    "n",
    "logprobs",
    "top_logprobs",
    "logit_bias",
    "reasoning_effort",
    "verbosity",
    "response_format",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "service_tier",
    "user",
    "safety_identifier",
    "prompt_cache_key",
    "metadata",
    "store",
    "prediction",
    "modalities",
    "audio",
    "web_search_options",
    "moderation",
    "prompt_cache_options",
    "prompt_cache_retention",
    "functions",
    "function_call",
];

/// What a client asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(super) model: String,
    pub(super) messages: Vec<Message>,
    pub(super) tools: Vec<Tool>,
    pub(super) choice: Choice,
    pub(super) stream: bool,
    pub(super) include_usage: bool,
    pub(super) obfuscation: bool,
    /// Most tokens of the answer.
    pub(super) token_limit: Option<usize>,
    /// The client's own name for the user, for the log.
    pub(super) user: String,
}

/// Which tools the answer may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// None.
    None,
    /// Any, or none.
    Free,
    /// A certain one; the finish reason is then `stop`.
    Forced,
}

/// Whether `name` may name a function.
pub(super) fn is_function_name(name: &str) -> bool {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
    (1..=64).contains(&name.len()) && name.chars().all(allowed)
}

/// Reads a request body.
pub(crate) fn decode(body: &[u8]) -> Result<Request, Refusal> {
    let object: Map<String, Value> = serde_json::from_slice(body).map_err(|error| {
        let message = format!("We could not parse the JSON body of your request. ({error})");
        Refusal::plain(400, "invalid_request_error", None, message)
    })?;
    if let Some(key) = object.keys().find(|key| !KNOWN.contains(&key.as_str())) {
        let message = format!("Unrecognized request argument supplied: {key}");
        return Err(Refusal::plain(400, "invalid_request_error", None, message));
    }
    let fields = Fields(&object);
    fields.check_ranges()?;
    let tools = body::tools(object.get("tools"))?;
    let (include_usage, obfuscation) = fields.stream_options()?;
    Ok(Request {
        model: fields.model()?,
        messages: body::messages(object.get("messages"))?,
        choice: fields.choice(&tools)?,
        tools,
        stream: fields.flag("stream")?.unwrap_or(false),
        include_usage,
        obfuscation,
        token_limit: fields.token_limit()?,
        user: fields.user(),
    })
}

/// The top level of a body.
struct Fields<'b>(&'b Map<String, Value>);

impl Fields<'_> {
    /// A field, unless it is absent or null.
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn model(&self) -> Result<String, Refusal> {
        match self.get("model").and_then(Value::as_str) {
            Some(model) if !model.is_empty() => Ok(model.to_owned()),
            _ => Err(Refusal::bad("model", "you must provide a model parameter")),
        }
    }

    fn flag(&self, name: &'static str) -> Result<Option<bool>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(type_error(name, "a boolean")),
        }
    }

    /// `include_usage` and `include_obfuscation`.
    fn stream_options(&self) -> Result<(bool, bool), Refusal> {
        let Some(options) = self.get("stream_options") else { return Ok((false, true)) };
        let Some(options) = options.as_object() else {
            return Err(type_error("stream_options", "an object"));
        };
        if self.flag("stream")? != Some(true) {
            let message =
                "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
            return Err(Refusal::bad("stream_options", message));
        }
        let flag = |name: &str| options.get(name).and_then(Value::as_bool);
        let usage = flag("include_usage").unwrap_or(false);
        Ok((usage, flag("include_obfuscation").unwrap_or(true)))
    }

    fn token_limit(&self) -> Result<Option<usize>, Refusal> {
        let (new, old) = (self.get("max_completion_tokens"), self.get("max_tokens"));
        if new.is_some() && old.is_some() {
            let message = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is \
                           not supported.";
            return Err(Refusal::bad("max_tokens", message));
        }
        let Some(limit) = new.or(old) else { return Ok(None) };
        match limit.as_u64() {
            Some(limit) if limit > 0 => Ok(Some(limit as usize)),
            _ => Err(type_error("max_completion_tokens", "an integer above 0")),
        }
    }

    fn choice(&self, tools: &[Tool]) -> Result<Choice, Refusal> {
        if self.flag("parallel_tool_calls")?.is_some() && tools.is_empty() {
            let message = "'parallel_tool_calls' is only allowed when 'tools' are specified.";
            return Err(Refusal::bad("parallel_tool_calls", message));
        }
        let Some(choice) = self.get("tool_choice") else { return Ok(Choice::Free) };
        if tools.is_empty() {
            let message = "'tool_choice' is only allowed when 'tools' are specified.";
            return Err(Refusal::bad("tool_choice", message));
        }
        body::choice(choice, tools)
    }

    fn check_ranges(&self) -> Result<(), Refusal> {
        let ranges = [
            ("temperature", 0.0, 2.0),
            ("top_p", 0.0, 1.0),
            ("presence_penalty", -2.0, 2.0),
            ("frequency_penalty", -2.0, 2.0),
            ("n", 1.0, 1.0),
            ("top_logprobs", 0.0, 20.0),
        ];
        for (name, least, most) in ranges {
            let Some(value) = self.get(name) else { continue };
            let number = value.as_f64().ok_or_else(|| type_error(name, "a number"))?;
            if !(least..=most).contains(&number) {
                let message = format!("Invalid '{name}': {number} is not within {least}..{most}.");
                return Err(Refusal::bad(name, message).with_code("invalid_value"));
            }
        }
        self.check_words()
    }

    fn check_words(&self) -> Result<(), Refusal> {
        let words: [(&str, &[&str]); 3] = [
            ("verbosity", &["low", "medium", "high"]),
            ("reasoning_effort", &["none", "minimal", "low", "medium", "high", "xhigh", "max"]),
            ("service_tier", &["auto", "default", "flex", "scale", "priority", "fast"]),
        ];
        for (name, known) in words {
            let Some(value) = self.get(name) else { continue };
            if !value.as_str().is_some_and(|word| known.contains(&word)) {
                let message =
                    format!("Invalid value: {value}. Supported values are: {}", known.join(", "));
                return Err(Refusal::bad(name, message).with_code("unsupported_value"));
            }
        }
        Ok(())
    }

    fn user(&self) -> String {
        let names = ["safety_identifier", "user", "prompt_cache_key"];
        let given = names.iter().find_map(|name| self.get(name).and_then(Value::as_str));
        given.unwrap_or("").to_owned()
    }
}

pub(super) fn type_error(param: &str, expected: &str) -> Refusal {
    Refusal::bad(param, format!("Invalid type for '{param}': expected {expected}."))
        .with_code("invalid_type")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A valid request with the fields of `changes` set, or taken out where null.
    fn with(changes: Value) -> Value {
        let mut body = json!({ "model": "m", "messages": [{ "role": "user", "content": "hi" }] });
        let Value::Object(changes) = changes else { panic!("not an object: {changes}") };
        for (key, value) in changes {
            body[key] = value;
        }
        body
    }

    fn check(changes: Value, part: &str) {
        let refusal = decode(with(changes).to_string().as_bytes()).unwrap_err();
        assert_eq!(refusal.status, 400);
        assert!(refusal.message.contains(part), "`{part}` is not in `{}`", refusal.message);
    }

    fn tool(name: &str) -> Value {
        json!({ "type": "function", "function": { "name": name } })
    }

    #[test]
    fn fields_are_checked() {
        check(json!({ "model": null }), "model parameter");
        check(json!({ "messages": null }), "Missing required parameter: 'messages'");
        check(json!({ "messages": [] }), "empty array");
        check(json!({ "massages": 1 }), "Unrecognized request argument supplied: massages");
        check(json!({ "temperature": 2.5 }), "temperature");
        check(json!({ "stream_options": {} }), "only allowed when 'stream'");
        check(json!({ "parallel_tool_calls": true }), "only allowed when 'tools'");
        check(json!({ "tool_choice": "auto" }), "only allowed when 'tools'");
        check(json!({ "max_tokens": 1, "max_completion_tokens": 1 }), "same time");
        check(json!({ "stream": "yes" }), "'stream'");
        check(json!({ "verbosity": "loud" }), "low, medium, high");
        decode(b"{").unwrap_err();
        decode(b"[]").unwrap_err();
    }

    #[test]
    fn tools_are_checked() {
        check(json!({ "tools": [] }), "empty array");
        check(json!({ "tools": [tool("book it")] }), "tools[0].function.name");
        check(json!({ "tools": [tool("a"), tool("a")] }), "unique");
        check(json!({ "tools": [{ "type": "magic" }] }), "tools[0].type");
        check(json!({ "tools": [tool("a")], "tool_choice": "maybe" }), "tool_choice");
        let forced = json!({ "type": "function", "function": { "name": "b" } });
        check(json!({ "tools": [tool("a")], "tool_choice": forced }), "not found");
    }

    #[test]
    fn messages_are_checked() {
        let call = json!({ "role": "assistant", "content": null, "tool_calls": [
            { "id": "c1", "type": "function", "function": { "name": "a", "arguments": "{}" } },
        ] });
        let result = json!({ "role": "tool", "tool_call_id": "c1", "content": "{}" });
        let user = json!({ "role": "user", "content": "hi" });
        let check = |messages: &[&Value], part| check(json!({ "messages": messages }), part);
        check(&[&user, &result], "must be a response to a preceeding message with 'tool_calls'");
        check(&[&user, &call], "did not have response messages: c1");
        check(&[&user, &call, &user], "did not have response messages: c1");
        check(&[&json!({ "role": "caller", "content": "" })], "'caller'");
        check(&[&json!({ "role": "user" })], "content");
        check(&[&json!({ "role": "assistant" })], "content");
        let good = with(json!({ "messages": [user, call, result] }));
        decode(good.to_string().as_bytes()).unwrap();
    }

    #[test]
    fn stream_options_and_limits_are_read() {
        let body = with(json!({
            "stream": true,
            "stream_options": { "include_usage": true, "include_obfuscation": false },
            "max_tokens": 7,
            "tools": [tool("a")],
            "tool_choice": "none",
        }));
        let request = decode(body.to_string().as_bytes()).unwrap();
        assert!(request.stream && request.include_usage && !request.obfuscation);
        assert_eq!((request.token_limit, request.choice), (Some(7), Choice::None));
    }
}
