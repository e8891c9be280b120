//! An answer as a stream: one event per token, each on an exact grid, and the faults of the stream
//! built in. Nothing here waits; the parts carry the instants at which they are due.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::answer::{Answer, Call};
use super::refusal::Refusal;
use super::request::Request;
use super::script::Fault;
use super::token;
use crate::server::Part;

/// Pause within a split character.
const SPLIT_PAUSE: Duration = Duration::from_millis(1);

/// What all events of an answer repeat.
pub(super) struct Head {
    pub(super) id: String,
    pub(super) created: u64,
    pub(super) model: String,
}

/// When tokens come: the first, and the time to each next.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    pub(super) first: Instant,
    pub(super) step: Duration,
}

/// An event before it is written.
struct Event {
    at: Instant,
    data: Value,
    what: &'static str,
}

/// The stream of `answer` to `request`.
pub(super) fn parts(
    head: &Head,
    answer: &Answer,
    request: &Request,
    grid: Grid,
    faults: &[Fault],
) -> Vec<Part> {
    let mut writer = Writer { head, request, grid, slot: 0, events: Vec::new() };
    writer.answer(answer);
    let end = writer.time();
    let mut parts: Vec<_> = writer.events.into_iter().map(Event::part).collect();
    if !faults.contains(&Fault::NoDone) {
        parts.push(part(end, "data: [DONE]\n\n".to_owned(), "done"));
    }
    faults.iter().fold(parts, |parts, fault| damage(parts, fault, grid))
}

/// Writes events one after another on the grid.
struct Writer<'a> {
    head: &'a Head,
    request: &'a Request,
    grid: Grid,
    /// Tokens so far.
    slot: u32,
    events: Vec<Event>,
}

impl Writer<'_> {
    fn answer(&mut self, answer: &Answer) {
        let content = if answer.text.is_some() { json!("") } else { Value::Null };
        let role = json!({ "role": "assistant", "content": content, "refusal": null });
        self.choice(&role, None, "role");
        for text in answer.text.as_deref().map_or(Vec::new(), token::tokens) {
            self.choice(&json!({ "content": text }), None, "text");
            self.slot += 1;
        }
        for (index, call) in answer.calls.iter().enumerate() {
            self.call(index, call);
        }
        self.choice(&json!({}), Some(answer.finish_reason), "finish");
        if self.request.include_usage {
            let (choices, usage) = (json!([]), answer.usage.value());
            self.event(&choices, usage, "usage");
        }
    }

    fn call(&mut self, index: usize, call: &Call) {
        let opening = json!({ "tool_calls": [{
            "index": index,
            "id": call.id,
            "type": "function",
            "function": { "name": call.name, "arguments": "" },
        }] });
        self.choice(&opening, None, "tool call");
        self.slot += 1;
        for fragment in token::fragments(&call.arguments) {
            let function = json!({ "arguments": fragment });
            let delta = json!({ "tool_calls": [{ "index": index, "function": function }] });
            self.choice(&delta, None, "arguments");
            self.slot += 1;
        }
    }

    fn choice(&mut self, delta: &Value, finish_reason: Option<&str>, what: &'static str) {
        let choices = json!([{
            "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish_reason,
        }]);
        self.event(&choices, Value::Null, what);
    }

    fn event(&mut self, choices: &Value, usage: Value, what: &'static str) {
        let mut data = json!({
            "id": self.head.id,
            "object": "chat.completion.chunk",
            "created": self.head.created,
            "model": self.head.model,
            "service_tier": "default",
            "system_fingerprint": "fp_simulated",
            "choices": choices,
        });
        if self.request.include_usage {
            data["usage"] = usage;
        }
        if self.request.obfuscation {
            data["obfuscation"] = json!("x".repeat(1 + self.events.len() % 8));
        }
        self.events.push(Event { at: self.time(), data, what });
    }

    fn time(&self) -> Instant {
        self.grid.first + self.grid.step * self.slot
    }
}

impl Event {
    fn part(self) -> Part {
        part(self.at, format!("data: {}\n\n", self.data), self.what)
    }
}

fn part(at: Instant, text: String, what: &'static str) -> Part {
    Part { at, bytes: Bytes::from(text), what }
}

/// `parts` with `fault`.
fn damage(parts: Vec<Part>, fault: &Fault, grid: Grid) -> Vec<Part> {
    match fault {
        Fault::ErrorObject { after, message } => {
            let reached = |(index, part): (usize, &Part)| {
                after.is_reached(index as u64, part.at.saturating_duration_since(grid.first))
            };
            let cut = parts.iter().enumerate().position(reached).unwrap_or(parts.len());
            error_after(parts, cut, message)
        }
        Fault::SplitUtf8 => parts.into_iter().flat_map(split).collect(),
        Fault::Comments => parts.into_iter().flat_map(commented).collect(),
        Fault::InvalidArguments | Fault::NoDone => parts,
    }
}

/// The first `cut` parts, then an error object in place of the next.
fn error_after(mut parts: Vec<Part>, cut: usize, message: &str) -> Vec<Part> {
    let Some(at) = parts.get(cut).map(|part| part.at) else { return parts };
    parts.truncate(cut);
    let error = Refusal::plain(500, "server_error", None, message).body();
    parts.push(part(at, format!("data: {error}\n\n"), "error"));
    parts
}

/// A part in two, cut within its first character of several bytes.
fn split(part: Part) -> Vec<Part> {
    let Some(wide) = part.bytes.iter().position(|byte| !byte.is_ascii()) else {
        return vec![part];
    };
    let mut head = part.bytes;
    let tail = head.split_off(wide + 1);
    let later = part.at + SPLIT_PAUSE;
    vec![
        Part { at: part.at, bytes: head, what: part.what },
        Part { at: later, bytes: tail, what: "rest" },
    ]
}

fn commented(event: Part) -> [Part; 2] {
    [part(event.at, ": keep-alive\n\n".to_owned(), "comment"), event]
}
