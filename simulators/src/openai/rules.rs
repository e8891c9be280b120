//! Which rule of the script answers a request: the first that fits.

use super::body::Message;
use super::refusal::Refusal;
use super::request::{Choice, Request};
use super::script::{Rule, Script, When};

/// What rules look at in a conversation.
struct View<'r> {
    /// The last user message; empty if there is none.
    user: &'r str,
    /// User messages so far.
    turns: usize,
    /// Name and text of each tool result that the request ends with.
    results: Vec<(&'r str, &'r str)>,
    /// Texts of the tool results before the last user message.
    earlier: Vec<&'r str>,
}

/// A rule, and the arguments of the tools that it calls.
pub(super) struct Chosen<'s> {
    pub(super) rule: &'s Rule,
    /// JSON texts, one for each call.
    pub(super) arguments: Vec<String>,
}

/// The rule for `request`, or `None` where the default reply is given. A rule that calls a tool
/// does not fit a request that forbids tools, nor one without the results that it takes arguments
/// from; one whose tool is not on offer is refused, since then script and client disagree.
pub(super) fn choose<'s>(
    script: &'s Script,
    request: &Request,
) -> Result<Option<Chosen<'s>>, Refusal> {
    let view = View::of(&request.messages);
    let may_call = request.choice != Choice::None && !request.tools.is_empty();
    let fits = |rule: &&Rule| {
        view.fits(&rule.when) && (rule.tool_calls.is_empty() || request.choice != Choice::None)
    };
    let chosen = |rule: &'s Rule| {
        let filled = rule.tool_calls.iter().map(|call| call.arguments.fill(&request.messages));
        Some(Chosen { rule, arguments: filled.collect::<Option<_>>()? })
    };
    let chosen = script.rules.iter().filter(fits).find_map(chosen);
    for call in chosen.as_ref().map_or(&[][..], |it| &it.rule.tool_calls) {
        if !may_call || !request.tools.iter().any(|tool| tool.name == call.name) {
            let message =
                format!("The script calls `{}`, which the request does not offer.", call.name);
            return Err(Refusal::bad("tools", message));
        }
    }
    Ok(chosen)
}

impl<'r> View<'r> {
    fn of(messages: &'r [Message]) -> Self {
        let users = messages.iter().filter_map(|message| match message {
            Message::User(text) => Some(text.as_str()),
            _ => None,
        });
        let (turns, user) = users.fold((0, ""), |(turns, _), text| (turns + 1, text));
        Self { user, turns, results: results(messages), earlier: earlier(messages) }
    }

    fn fits(&self, when: &When) -> bool {
        let after_tool = match &when.after_tool {
            Some(tool) => self.results.iter().any(|(name, _)| name == tool),
            None => self.results.is_empty(),
        };
        let result = when
            .tool_result
            .as_ref()
            .is_none_or(|part| self.results.iter().any(|(_, text)| contains(text, part)));
        let earlier = when
            .earlier_result
            .as_ref()
            .is_none_or(|part| self.earlier.iter().any(|text| contains(text, part)));
        after_tool
            && result
            && earlier
            && when.user.as_ref().is_none_or(|part| contains(self.user, part))
            && when.turn.is_none_or(|turn| turn.get() == self.turns)
            && (!when.greeting || self.user.trim().is_empty())
    }
}

/// Name and text of each tool result at the end of `messages`.
fn results(messages: &[Message]) -> Vec<(&str, &str)> {
    let Some(asked) = messages.iter().rposition(|one| !matches!(one, Message::Tool(..))) else {
        return Vec::new();
    };
    let Message::Assistant(_, calls) = &messages[asked] else { return Vec::new() };
    let result = |message: &'_ Message| match message {
        Message::Tool(id, _) => calls.iter().position(|(call, _)| call == id),
        _ => None,
    };
    let tail = messages[asked + 1..].iter();
    tail.filter_map(|one| Some((calls[result(one)?].1.as_str(), one.text()))).collect()
}

/// Texts of the tool results before the last user message.
fn earlier(messages: &[Message]) -> Vec<&str> {
    let asked = messages.iter().rposition(|one| matches!(one, Message::User(_))).unwrap_or(0);
    let results = messages[..asked].iter().filter(|one| matches!(one, Message::Tool(..)));
    results.map(Message::text).collect()
}

fn contains(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(&part.to_lowercase())
}
