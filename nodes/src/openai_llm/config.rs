//! The options of `openai_llm` as written in TOML, and the settings that they become.

use std::time::Duration;

use chrono_tz::Tz;
use http::HeaderValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use voicegraph_engine::connect::Endpoint;
use voicegraph_engine::node::Problem;
use voicegraph_engine::secret::Secret;
use voicegraph_engine::variables::Template;

use super::history;

/// The options of `openai_llm`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// The API key, sent as `Authorization: Bearer`. A server that wants none takes any text.
    pub api_key: Secret,
    /// Where the API is, without `/chat/completions`. Any server that speaks OpenAI's chat
    /// completions will do.
    #[serde(default = "base_url")]
    pub base_url: String,
    /// The model's name, passed on as it is.
    #[serde(default = "model")]
    #[schemars(length(min = 1))]
    pub model: String,
    /// The system prompt: who the agent is and how it speaks. It begins every request and is never
    /// dropped from the history. `{{name}}` stands for a variable of the call, as declared in
    /// `[variables]`.
    #[schemars(length(min = 1))]
    pub system: String,
    /// The IANA time zone (`Europe/London`) by whose clock the model is told, at the end of the
    /// system prompt, when the call began. Without it the model does not know what "tomorrow" is.
    pub time_zone: Option<String>,
    /// What the agent says when it is to speak first. Without it the model is asked for the words,
    /// which takes as long as any answer. Variables stand in it as in `system`; where nothing is
    /// left, the model is asked too.
    pub greeting: Option<String>,
    /// The sampling temperature, 0 to 2; the model's own default where absent. 0 answers nearly the
    /// same each time, above 1 becomes erratic. Reasoning models refuse it.
    #[schemars(range(min = 0.0, max = 2.0))]
    pub temperature: Option<f64>,
    /// The most tokens of one answer, reasoning included, 1 to 1000000; no limit where absent. A
    /// low limit cuts answers in the middle of a sentence.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_completion_tokens: Option<u32>,
    /// How long a reasoning model thinks before it speaks; the model's own default where absent.
    /// The caller hears silence meanwhile. Other models refuse it.
    pub reasoning_effort: Option<ReasoningEffort>,
    /// Asks for repeatable sampling, as far as the provider can.
    pub seed: Option<i64>,
    /// Whether the model may call several tools at once; the provider's default (true) where
    /// absent.
    pub parallel_tool_calls: Option<bool>,
    /// How many times the model may call tools before it must answer, 0 to 20; default 5. At 0 it
    /// never calls one; a high value lets a confused model keep the caller waiting.
    #[serde(default = "max_tool_steps")]
    #[schemars(range(min = 0, max = 20))]
    pub max_tool_steps: u32,
    /// How many messages of the conversation are sent, 2 to 2000; default 200. The oldest exchanges
    /// are dropped whole. A low value makes the agent forget.
    #[serde(default = "max_history_messages")]
    #[schemars(range(min = 2, max = 2000))]
    pub max_history_messages: u32,
    /// How many characters of the conversation are sent, 1000 to 2000000; default 64000, about
    /// 16000 tokens. More costs money and time per request, less makes the agent forget.
    #[serde(default = "max_history_chars")]
    #[schemars(range(min = 1000, max = 2_000_000))]
    pub max_history_chars: u32,
    /// The longest that connecting and TLS may take together, in ms, 100 to 60000; default 5000.
    #[serde(default = "connect_timeout_ms")]
    #[schemars(range(min = 100, max = 60_000))]
    pub connect_timeout_ms: u32,
    /// The longest wait for an answer's first token, and for each further one, in ms, 100 to
    /// 600000; default 10000. Bytes without a token, such as the comments by which proxies keep a
    /// connection alive or a model's reasoning, do not extend it.
    #[serde(default = "first_token_timeout_ms")]
    #[schemars(range(min = 100, max = 600_000))]
    pub first_token_timeout_ms: u32,
    /// The longest silence of the provider while it owes an answer, from the request on, in ms, 100
    /// to 600000; default 5000. A low value gives up on answers that were only slow; a high one
    /// leaves the caller in silence. Raise it with `first_token_timeout_ms` for models that think
    /// long.
    #[serde(default = "progress_timeout_ms")]
    #[schemars(range(min = 100, max = 600_000))]
    pub progress_timeout_ms: u32,
    /// The longest wait for a tool's result, in ms, 100 to 600000; default 10000. A tool that reads
    /// is then stopped and the model told so. A tool that writes goes on: the model is told that it
    /// is still running, and in a later turn what came of it.
    #[serde(default = "tool_timeout_ms")]
    #[schemars(range(min = 100, max = 600_000))]
    pub tool_timeout_ms: u32,
    /// How often a failed request is tried again before the call ends, 0 to 10; default 2. Delays
    /// are 0.1 s, doubled each time, or what the provider asks for.
    #[serde(default = "max_retries")]
    #[schemars(range(min = 0, max = 10))]
    pub max_retries: u32,
}

/// How long a reasoning model thinks. Which values a model knows differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are the provider's and say all there is")]
pub enum ReasoningEffort {
    None,
    Minimal,
    Low,
    Medium,
    High,
    Xhigh,
    Max,
}

/// OpenAI's own API.
fn base_url() -> String {
    "https://api.openai.com/v1".to_owned()
}

/// A model that calls tools well and begins to answer within half a second, without reasoning
/// first.
fn model() -> String {
    "gpt-4.1-mini".to_owned()
}

/// Enough for "look up, check, book", with two repairs of wrong arguments.
fn max_tool_steps() -> u32 {
    5
}

/// A call of half an hour, at a message every nine seconds.
fn max_history_messages() -> u32 {
    200
}

/// About 16000 tokens, at four characters each.
fn max_history_chars() -> u32 {
    64_000
}

/// The connect timeout of OpenAI's own client library.
fn connect_timeout_ms() -> u32 {
    5_000
}

/// Twice `progress_timeout_ms`: a connection kept alive without an answer is given up too.
fn first_token_timeout_ms() -> u32 {
    10_000
}

/// Above the slowest first tokens that are usual without reasoning, and as long as callers wait.
fn progress_timeout_ms() -> u32 {
    5_000
}

/// As long as callers wait with a "one moment" before it.
fn tool_timeout_ms() -> u32 {
    10_000
}

/// As OpenAI's own client library.
fn max_retries() -> u32 {
    2
}

/// The checked options.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) endpoint: Endpoint,
    /// `Bearer` and the key; prints as `Sensitive`.
    pub(super) authorization: HeaderValue,
    pub(super) model: String,
    pub(super) system: Template,
    pub(super) time_zone: Option<Tz>,
    pub(super) greeting: Option<Template>,
    pub(super) sampling: Sampling,
    pub(super) parallel_tool_calls: Option<bool>,
    pub(super) max_tool_steps: u32,
    pub(super) history: history::Limits,
    pub(super) connect_timeout: Duration,
    pub(super) first_token_timeout: Duration,
    pub(super) progress_timeout: Duration,
    pub(super) tool_timeout: Duration,
    pub(super) max_retries: u32,
}

/// How the model makes its answer; what is absent is the provider's to choose.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Sampling {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_effort: Option<ReasoningEffort>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seed: Option<i64>,
}

/// Checks what the schema cannot express.
///
/// # Errors
/// Every mistake, all at once.
pub(super) fn build(options: Options) -> Result<Settings, Vec<Problem>> {
    let mut problems = Vec::new();
    let endpoint = endpoint(&options.base_url, &mut problems);
    let authorization = authorization(&options.api_key, &mut problems);
    if options.greeting.as_ref().is_some_and(|greeting| greeting.trim().is_empty()) {
        let help = "write what the agent says first, or remove the option to let the model speak";
        problems.push(Problem::new("greeting", "the greeting is empty").help(help));
    }
    let time_zone = options.time_zone.as_deref().and_then(|name| zone(name, &mut problems));
    let texts = Texts {
        system: template("system", &options.system, &mut problems),
        greeting: options.greeting.as_ref().map(|text| template("greeting", text, &mut problems)),
    };
    match (endpoint, authorization) {
        (Some(endpoint), Some(authorization)) if problems.is_empty() => {
            Ok(settings(options, texts, endpoint, authorization, time_zone))
        }
        _ => Err(problems),
    }
}

/// What the agent is told and says, with variables in it.
struct Texts {
    system: Template,
    greeting: Option<Template>,
}

fn template(path: &str, text: &str, problems: &mut Vec<Problem>) -> Template {
    Template::parse(text).unwrap_or_else(|error| {
        let help = "write `{{name}}` for a variable of the call, `{{{{` for two braces as they are";
        problems.push(Problem::new(path, error.to_string()).help(help));
        Template::default()
    })
}

fn endpoint(base_url: &str, problems: &mut Vec<Problem>) -> Option<Endpoint> {
    let parsed = Endpoint::parse(base_url);
    parsed.map_err(|error| problems.push(Problem::new("base_url", error.to_string()))).ok()
}

fn zone(name: &str, problems: &mut Vec<Problem>) -> Option<Tz> {
    let unknown = |_| {
        let what = format!("{name:?} is no time zone of the IANA database");
        problems.push(Problem::new("time_zone", what).help("write it as in `Europe/London`"));
    };
    name.parse().map_err(unknown).ok()
}

fn authorization(key: &Secret, problems: &mut Vec<Problem>) -> Option<HeaderValue> {
    let value = HeaderValue::try_from(format!("Bearer {}", key.expose()));
    let Ok(mut value) = value else {
        let help = "a key holds letters, digits and signs; look for a line break or a quote in it";
        problems.push(Problem::new("api_key", "the key cannot stand in a header").help(help));
        return None;
    };
    value.set_sensitive(true);
    Some(value)
}

fn settings(
    options: Options,
    texts: Texts,
    endpoint: Endpoint,
    authorization: HeaderValue,
    time_zone: Option<Tz>,
) -> Settings {
    let ms = |ms: u32| Duration::from_millis(u64::from(ms));
    Settings {
        endpoint,
        authorization,
        model: options.model,
        system: texts.system,
        time_zone,
        greeting: texts.greeting,
        sampling: Sampling {
            temperature: options.temperature,
            max_completion_tokens: options.max_completion_tokens,
            reasoning_effort: options.reasoning_effort,
            seed: options.seed,
        },
        parallel_tool_calls: options.parallel_tool_calls,
        max_tool_steps: options.max_tool_steps,
        history: history::Limits {
            messages: options.max_history_messages as usize,
            chars: options.max_history_chars as usize,
        },
        connect_timeout: ms(options.connect_timeout_ms),
        first_token_timeout: ms(options.first_token_timeout_ms),
        progress_timeout: ms(options.progress_timeout_ms),
        tool_timeout: ms(options.tool_timeout_ms),
        max_retries: options.max_retries,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(more: &serde_json::Value) -> Options {
        let mut options = serde_json::json!({ "api_key": "sk-secret", "system": "Be brief." });
        let given = more.as_object().expect("an object").clone();
        options.as_object_mut().expect("an object").extend(given);
        serde_json::from_value(options).expect("valid options")
    }

    #[test]
    fn the_defaults_are_openai_itself() {
        let settings = build(options(&serde_json::json!({}))).expect("no problems");
        assert_eq!(settings.endpoint.path("/chat/completions"), "/v1/chat/completions");
        assert_eq!(settings.endpoint.authority(), "api.openai.com");
        assert_eq!(settings.progress_timeout, Duration::from_secs(5));
    }

    #[test]
    fn every_mistake_is_named_at_once() {
        let wrong = serde_json::json!({
            "base_url": "api.openai.com", "api_key": "sk-\nsecret", "greeting": " ",
            "time_zone": "Europe/Londn", "system": "Call them {{first name}}.",
        });
        let problems = build(options(&wrong)).expect_err("five problems");
        let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(paths, ["base_url", "api_key", "greeting", "time_zone", "system"]);
        assert!(!format!("{problems:?}").contains("secret"));
    }

    #[test]
    fn the_key_is_never_printed() {
        let settings = build(options(&serde_json::json!({}))).expect("no problems");
        assert!(!format!("{settings:?}").contains("sk-secret"));
        assert!(!format!("{:?}", options(&serde_json::json!({}))).contains("sk-secret"));
    }

    #[test]
    fn unknown_options_are_refused() {
        let text = r#"{"api_key": "k", "system": "s", "temprature": 1}"#;
        assert!(serde_json::from_str::<Options>(text).is_err());
    }
}
