//! `[openai]` of the script.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::arguments::{Arguments, Source as Taken};
use super::request::is_function_name;
use crate::fault::{self, After, Complaint, Own, Planned};
use crate::script::{ScriptError, Source};

/// What is answered.
#[derive(Debug, Clone)]
pub struct Script {
    /// The first rule that fits decides.
    pub rules: Vec<Rule>,
    /// The answer where no rule fits.
    pub default_reply: String,
    /// Model names that exist; empty for all.
    pub models: Vec<String>,
    /// From the request to the first token.
    pub first_token: Duration,
    /// From one token to the next.
    pub token: Duration,
    /// What goes wrong.
    pub faults: Vec<Planned<Fault>>,
}

/// An answer and what it answers.
#[derive(Debug, Clone)]
pub struct Rule {
    /// What the request must be like.
    pub when: When,
    /// The text of the answer, if it has one.
    pub reply: Option<String>,
    /// The tools it calls.
    pub tool_calls: Vec<ToolCall>,
    /// Instead of the script's `first_token`.
    pub first_token: Option<Duration>,
    /// Instead of the script's `token`.
    pub token: Option<Duration>,
}

/// What a request must be like; all that is given must hold. A request that ends with tool results
/// fits only rules with `after_tool`.
#[derive(Debug, Clone, Default)]
pub struct When {
    /// The last user message contains this, in any case.
    pub user: Option<String>,
    /// The conversation has this many user messages.
    pub turn: Option<NonZeroUsize>,
    /// There is no user message, or the last one is empty.
    pub greeting: bool,
    /// The request ends with a result of this tool.
    pub after_tool: Option<String>,
    /// One of the results it ends with contains this, in any case.
    pub tool_result: Option<String>,
    /// A result before the last user message contains this, in any case.
    pub earlier_result: Option<String>,
}

/// A tool that an answer calls.
#[derive(Debug, Clone)]
pub struct ToolCall {
    /// The tool.
    pub name: String,
    /// Its arguments.
    pub arguments: Arguments,
}

/// Faults that only OpenAI has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// An error object in the stream, after which it ends.
    ErrorObject {
        /// After how many events; at once if neither is given.
        after: After,
        /// Its message.
        message: String,
    },
    /// Events are cut within a character, with a pause between the halves.
    SplitUtf8,
    /// Tool arguments are no JSON.
    InvalidArguments,
    /// The stream ends without `[DONE]`.
    NoDone,
    /// A comment line before each event.
    Comments,
}

/// `[openai]` as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Options {
    rules: Vec<Spanned<RuleOptions>>,
    default_reply: String,
    models: Vec<String>,
    first_token_ms: u64,
    token_ms: u64,
    faults: Vec<fault::Options>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleOptions {
    user: Option<String>,
    turn: Option<NonZeroUsize>,
    #[serde(default)]
    greeting: bool,
    after_tool: Option<String>,
    tool_result: Option<String>,
    earlier_result: Option<String>,
    reply: Option<String>,
    #[serde(default)]
    tool_calls: Vec<ToolCallOptions>,
    first_token_ms: Option<u64>,
    token_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToolCallOptions {
    name: Spanned<String>,
    #[serde(default)]
    arguments: toml::Table,
    /// Arguments taken from results: `from.doctor_id = { tool = "find_doctors", at =
    /// "/rows/0/doctor_id" }`.
    #[serde(default)]
    from: BTreeMap<String, Taken>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            default_reply: "I am sorry, I did not understand that.".to_owned(),
            models: Vec::new(),
            first_token_ms: 250,
            token_ms: 15,
            faults: Vec::new(),
        }
    }
}

impl Options {
    pub(crate) fn build(mut self, source: &Source<'_>) -> Result<Script, ScriptError> {
        let rules = std::mem::take(&mut self.rules).into_iter().map(|rule| {
            let span = rule.span();
            rule.into_inner().build(source, &span)
        });
        let rules = rules.collect::<Result<_, _>>()?;
        let faults = fault::build(std::mem::take(&mut self.faults), source)?;
        Ok(Script { rules, faults, ..self.script() })
    }

    /// All but rules and faults.
    fn script(self) -> Script {
        Script {
            rules: Vec::new(),
            default_reply: self.default_reply,
            models: self.models,
            first_token: Duration::from_millis(self.first_token_ms),
            token: Duration::from_millis(self.token_ms),
            faults: Vec::new(),
        }
    }
}

impl RuleOptions {
    fn build(self, source: &Source<'_>, span: &Range<usize>) -> Result<Rule, ScriptError> {
        if self.reply.is_none() && self.tool_calls.is_empty() {
            let help = "write `reply = \"…\"`, `tool_calls = [{ name = \"…\" }]`, or both";
            return Err(source.wrong(span, "the rule answers nothing", help));
        }
        let tool_calls = self.tool_calls.into_iter().map(|call| call.build(source));
        Ok(Rule {
            tool_calls: tool_calls.collect::<Result<_, _>>()?,
            when: When {
                user: self.user,
                turn: self.turn,
                greeting: self.greeting,
                after_tool: self.after_tool,
                tool_result: self.tool_result,
                earlier_result: self.earlier_result,
            },
            reply: self.reply,
            first_token: self.first_token_ms.map(Duration::from_millis),
            token: self.token_ms.map(Duration::from_millis),
        })
    }
}

impl ToolCallOptions {
    fn build(self, source: &Source<'_>) -> Result<ToolCall, ScriptError> {
        if !is_function_name(self.name.get_ref()) {
            let problem = format!("`{}` is no name of a tool", self.name.get_ref());
            let help = "write 1 to 64 letters, digits, `_` or `-`";
            return Err(source.wrong(&self.name.span(), problem, help));
        }
        let fixed = serde_json::to_value(&self.arguments).map_err(|error| {
            source.wrong(&self.name.span(), error.to_string(), "write plain values")
        })?;
        let fixed = fixed.as_object().cloned().unwrap_or_default();
        let arguments = Arguments { fixed, taken: self.from };
        Ok(ToolCall { name: self.name.into_inner(), arguments })
    }
}

impl Default for Script {
    /// `[openai]` left out.
    fn default() -> Self {
        Options::default().script()
    }
}

impl Own for Fault {
    const KINDS: &[&str] = &[
        "refuse",
        "status",
        "cut",
        "stall",
        "malformed",
        "slow",
        "error_object",
        "split_utf8",
        "invalid_arguments",
        "no_done",
        "comments",
    ];

    fn take(kind: &str, options: &mut fault::Options) -> Result<Option<Self>, Complaint> {
        Ok(match kind {
            "error_object" => {
                let message = options.message.take();
                let message = message.unwrap_or_else(|| "The server had an error.".to_owned());
                Some(Self::ErrorObject { after: options.after(), message })
            }
            "split_utf8" => Some(Self::SplitUtf8),
            "invalid_arguments" => Some(Self::InvalidArguments),
            "no_done" => Some(Self::NoDone),
            "comments" => Some(Self::Comments),
            _ => None,
        })
    }
}
