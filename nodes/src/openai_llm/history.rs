//! What was said and done so far, as the model is told it. Pure.
//!
//! **Invariant:** the messages are always valid for the provider: each tool call is followed at
//! once by one result. A call whose result is not known yet has a stand-in that says so, replaced
//! when the result comes, so this holds whenever a turn is interrupted.

use std::collections::VecDeque;

use voicegraph_engine::turn::Heard;

use super::heard::{letters, prefix};
use super::wire::{FunctionCall, Message};

/// The result of a call that is not over.
const RUNNING: &str =
    r#"{"status":"running","message":"not finished yet; do not repeat the call"}"#;

/// How much of the conversation is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// Messages, the system prompt not counted.
    pub(super) messages: usize,
    /// Characters of their contents.
    pub(super) chars: usize,
}

/// The conversation: exchanges of what the caller said and what the agent answered.
#[derive(Debug)]
pub(super) struct History {
    exchanges: VecDeque<Exchange>,
    limits: Limits,
}

/// What the caller said, and the steps of the answer.
#[derive(Debug, Default)]
struct Exchange {
    user: String,
    steps: Vec<Step>,
}

/// What the agent said, and the tools that it called then.
#[derive(Debug, Default)]
struct Step {
    text: String,
    calls: Vec<Called>,
}

/// A tool call in the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Called {
    /// The call's id, unique in the history once [`History::call`] took it.
    pub(super) id: String,
    /// The function's name, fit for the wire.
    pub(super) name: String,
    /// The JSON text of an object.
    pub(super) arguments: String,
    /// What the tool gave back; `None` while it runs.
    pub(super) result: Option<String>,
}

impl History {
    /// A conversation not yet begun.
    pub(super) fn new(limits: Limits) -> Self {
        Self { exchanges: VecDeque::new(), limits }
    }

    /// Begins an exchange. `user` is what the caller said; empty where the agent is to speak first.
    pub(super) fn begin(&mut self, user: &str) {
        self.exchanges.push_back(Exchange { user: user.to_owned(), steps: Vec::new() });
        self.trim();
    }

    /// Appends to what the agent says in this exchange.
    pub(super) fn say(&mut self, text: &str) {
        let steps = &mut self.exchanges.back_mut().expect("begin comes first").steps;
        if steps.last().is_none_or(|step| !step.calls.is_empty()) {
            steps.push(Step::default());
        }
        self.last_step().text.push_str(text);
    }

    /// Notes the tools that the agent called after what it said. Returns their ids in order: unique
    /// in the history, since some servers give none or repeat them.
    pub(super) fn call(&mut self, calls: Vec<Called>) -> Vec<String> {
        self.say("");
        let mut ids = Vec::new();
        for call in calls {
            let id = self.unused_id(&call.id);
            ids.push(id.clone());
            self.last_step().calls.push(Called { id, ..call });
        }
        ids
    }

    /// What must stand between the words so far of this exchange and `text`, so that the words
    /// before a tool call and those after it are not one.
    pub(super) fn gap_before(&self, text: &str) -> &'static str {
        let exchange = self.exchanges.back().expect("begin comes first");
        let begins = exchange.steps.last().is_some_and(|step| !step.calls.is_empty());
        let said = exchange.steps.iter().rev().find_map(|step| step.text.chars().next_back());
        let joined = said.is_some_and(|last| !last.is_whitespace());
        if begins && joined && !text.starts_with(char::is_whitespace) { " " } else { "" }
    }

    /// Notes the result of the call `id`.
    pub(super) fn answer(&mut self, id: &str, result: &str) {
        let calls = self.exchanges.iter_mut().flat_map(Exchange::calls_mut);
        for call in calls.filter(|call| call.id == id) {
            call.result = Some(result.to_owned());
        }
        self.trim();
    }

    /// The ids of the calls without a result.
    pub(super) fn running(&self) -> Vec<String> {
        let calls = self.exchanges.iter().flat_map(Exchange::calls);
        calls.filter(|call| call.result.is_none()).map(|call| call.id.clone()).collect()
    }

    /// Cuts what the agent said in the last exchange to what the caller heard of it.
    pub(super) fn cut(&mut self, heard: &Heard) {
        let Some(exchange) = self.exchanges.back_mut().filter(|_| !heard.complete) else {
            return;
        };
        let mut left = letters(&heard.text);
        for step in &mut exchange.steps {
            let kept = prefix(&step.text, left).len();
            left = left.saturating_sub(letters(&step.text));
            step.text.truncate(kept);
        }
    }

    /// The messages of a request.
    pub(super) fn messages<'a>(&'a self, system: &'a str) -> Vec<Message<'a>> {
        let mut messages = vec![Message::System { content: system }];
        for exchange in &self.exchanges {
            exchange.write(&mut messages);
        }
        messages
    }

    /// Drops the oldest exchanges, whole, down to the limits; never the current one, nor one whose
    /// tools still run, since their results must find their place.
    fn trim(&mut self) {
        while self.exchanges.len() > 1 && self.is_above_limits() {
            if self.exchanges[0].calls().any(|call| call.result.is_none()) {
                return;
            }
            self.exchanges.pop_front();
        }
    }

    fn is_above_limits(&self) -> bool {
        let sizes = self.exchanges.iter().map(Exchange::size);
        let (messages, chars) = sizes.fold((0, 0), |sum, size| (sum.0 + size.0, sum.1 + size.1));
        messages > self.limits.messages || chars > self.limits.chars
    }

    fn last_step(&mut self) -> &mut Step {
        let step = self.exchanges.back_mut().and_then(|exchange| exchange.steps.last_mut());
        step.expect("say has made one")
    }

    fn unused_id(&self, id: &str) -> String {
        let used = |id: &str| self.exchanges.iter().flat_map(Exchange::calls).any(|c| c.id == id);
        if !id.is_empty() && !used(id) {
            return id.to_owned();
        }
        let mut numbered = (1_u64..).map(|number| format!("call_{id}{number}"));
        numbered.find(|id| !used(id)).expect("the history is finite")
    }
}

impl Exchange {
    fn calls(&self) -> impl Iterator<Item = &Called> {
        self.steps.iter().flat_map(|step| &step.calls)
    }

    fn calls_mut(&mut self) -> impl Iterator<Item = &mut Called> {
        self.steps.iter_mut().flat_map(|step| &mut step.calls)
    }

    /// Messages and characters.
    fn size(&self) -> (usize, usize) {
        let mut messages = Vec::new();
        self.write(&mut messages);
        let chars = |text: &str| text.chars().count();
        let said = self.steps.iter().map(|step| chars(&step.text)).sum::<usize>();
        let done = self.calls().map(|call| chars(&call.arguments) + chars(call.result()));
        (messages.len(), chars(&self.user) + said + done.sum::<usize>())
    }

    fn write<'a>(&'a self, messages: &mut Vec<Message<'a>>) {
        if !self.user.is_empty() {
            messages.push(Message::User { content: &self.user });
        }
        self.steps.iter().for_each(|step| step.write(messages));
    }
}

impl Step {
    fn write<'a>(&'a self, messages: &mut Vec<Message<'a>>) {
        let content = Some(self.text.as_str()).filter(|text| !text.is_empty());
        if content.is_none() && self.calls.is_empty() {
            return;
        }
        let call = |call: &'a Called| FunctionCall::new(&call.id, &call.name, &call.arguments);
        let tool_calls = self.calls.iter().map(call).collect();
        messages.push(Message::Assistant { content, tool_calls });
        for call in &self.calls {
            messages.push(Message::Tool { tool_call_id: &call.id, content: call.result() });
        }
    }
}

impl Called {
    fn result(&self) -> &str {
        self.result.as_deref().unwrap_or(RUNNING)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn history() -> History {
        History::new(Limits { messages: 100, chars: 10_000 })
    }

    fn call(id: &str) -> Called {
        let (id, name) = (id.to_owned(), "find".to_owned());
        Called { id, name, arguments: "{}".to_owned(), result: None }
    }

    fn heard(text: &str, complete: bool) -> Heard {
        Heard { played: Duration::ZERO, text: text.to_owned(), complete, estimated: false }
    }

    /// The messages without the prompt, as `role: content`.
    fn told(history: &History) -> Vec<String> {
        let messages = serde_json::to_value(history.messages("Be brief.")).expect("JSON");
        let messages = messages.as_array().expect("messages").iter().skip(1);
        let line = |message: &Value| {
            let role = message["role"].as_str().expect("a role");
            let content = message["content"].as_str().unwrap_or("-");
            let calls = message["tool_calls"].as_array().map_or(0, Vec::len);
            if calls > 0 {
                format!("{role}: {content} [{calls}]")
            } else {
                format!("{role}: {content}")
            }
        };
        messages.map(line).collect()
    }

    #[test]
    fn messages_are_those_of_the_reference() {
        let mut history = history();
        history.begin("Weather?");
        history.call(vec![call("call_a")]);
        history.answer("call_a", "sunny");
        history.say("Sunny.");
        let messages = serde_json::to_value(history.messages("Be brief.")).expect("JSON");
        let function = json!({"name": "find", "arguments": "{}"});
        let expected = json!([
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Weather?"},
            {"role": "assistant", "content": null,
             "tool_calls": [{"id": "call_a", "type": "function", "function": function}]},
            {"role": "tool", "tool_call_id": "call_a", "content": "sunny"},
            {"role": "assistant", "content": "Sunny."},
        ]);
        assert_eq!(messages, expected);
    }

    #[test]
    fn every_call_has_a_result_in_order_whenever_it_comes() {
        let mut history = history();
        history.begin("Both?");
        history.say("One moment.");
        history.call(vec![call("a"), call("b")]);
        history.answer("b", "B");
        assert_eq!(told(&history)[2..], [format!("tool: {RUNNING}"), "tool: B".to_owned()]);
        history.begin("Hello?");
        history.answer("a", "A");
        assert_eq!(
            told(&history),
            ["user: Both?", "assistant: One moment. [2]", "tool: A", "tool: B", "user: Hello?"]
        );
    }

    #[test]
    fn missing_and_repeated_ids_are_made_unique() {
        let mut history = history();
        history.begin("x");
        assert_eq!(history.call(vec![call(""), call(""), call("a")]), ["call_1", "call_2", "a"]);
        history.begin("y");
        assert_eq!(history.call(vec![call("a"), call("call_1")]), ["call_a1", "call_call_11"]);
    }

    #[test]
    fn the_answer_is_cut_to_what_was_heard() {
        for (text, complete, expected) in [
            ("Good morning,", false, "assistant: Good morning,"),
            ("", true, "assistant: Good morning, how are you?"),
        ] {
            let mut history = history();
            history.begin("Hi.");
            history.say("Good morning, how are you?");
            history.cut(&heard(text, complete));
            assert_eq!(told(&history), ["user: Hi.", expected]);
        }
    }

    #[test]
    fn an_unheard_answer_leaves_nothing_but_its_tools() {
        let mut history = history();
        history.begin("Hi.");
        history.say("One moment.");
        history.call(vec![call("a")]);
        history.answer("a", "A");
        history.say("You are booked.");
        history.cut(&heard("", false));
        assert_eq!(told(&history), ["user: Hi.", "assistant: - [1]", "tool: A"]);
    }

    #[test]
    fn the_cut_runs_across_the_steps() {
        let mut history = history();
        history.begin("Hi.");
        history.say("One moment.");
        history.call(vec![call("a")]);
        history.say("You are booked.");
        history.cut(&heard("One moment. You", false));
        let told = told(&history);
        assert_eq!(
            (told[1].as_str(), told[3].as_str()),
            ("assistant: One moment. [1]", "assistant: You")
        );
    }

    #[test]
    fn the_oldest_exchanges_go_first_and_whole() {
        let mut history = History::new(Limits { messages: 4, chars: 10_000 });
        for user in ["1", "2", "3"] {
            history.begin(user);
            history.say("ok");
        }
        assert_eq!(told(&history), ["user: 2", "assistant: ok", "user: 3", "assistant: ok"]);
        let mut history = History::new(Limits { messages: 100, chars: 10 });
        for user in ["12345678", "2", "3"] {
            history.begin(user);
            history.say("ok");
        }
        assert_eq!(told(&history).len(), 4);
        history.begin("a user message above all limits");
        assert_eq!(told(&history).len(), 1);
    }

    #[test]
    fn an_exchange_with_a_running_tool_is_kept() {
        let mut history = History::new(Limits { messages: 2, chars: 10_000 });
        history.begin("Book it.");
        history.call(vec![call("a")]);
        history.begin("Hello?");
        assert_eq!(history.running(), ["a"]);
        assert_eq!(told(&history).len(), 4);
        history.answer("a", "booked");
        assert_eq!(told(&history), ["user: Hello?"]);
    }

    #[test]
    fn a_gap_stands_between_the_words_around_a_tool_call() {
        let mut history = history();
        history.begin("Hi.");
        assert_eq!(history.gap_before("One"), "");
        history.say("One moment.");
        assert_eq!(history.gap_before("More"), "");
        history.call(vec![call("a")]);
        assert_eq!(history.gap_before("You"), " ");
        assert_eq!(history.gap_before(" You"), "");
    }

    /// Something that happens in a call.
    #[derive(Clone, Debug)]
    enum Happening {
        Begin(String),
        Say(String),
        Call(Vec<String>),
        Answer(prop::sample::Index),
        Cut(usize),
    }

    fn happening() -> impl Strategy<Value = Happening> {
        let words = || "[a-z]{1,4}( [a-z]{1,4}[.,]?){0,4}";
        prop_oneof![
            words().prop_map(Happening::Begin),
            words().prop_map(Happening::Say),
            prop::collection::vec("[ab]?", 1..4).prop_map(Happening::Call),
            any::<prop::sample::Index>().prop_map(Happening::Answer),
            (0_usize..20).prop_map(Happening::Cut),
        ]
    }

    fn take(history: &mut History, happening: Happening) {
        match happening {
            Happening::Begin(user) => history.begin(&user),
            Happening::Say(text) => history.say(&text),
            Happening::Call(ids) => {
                history.call(ids.iter().map(|id| call(id)).collect());
            }
            Happening::Answer(which) => {
                let running = history.running();
                if !running.is_empty() {
                    history.answer(&running[which.index(running.len())], "done");
                }
            }
            Happening::Cut(letters) => history.cut(&heard(&"x".repeat(letters), false)),
        }
    }

    /// Each call is answered directly after the message that made it, in order.
    fn assert_valid(history: &History) {
        let messages = serde_json::to_value(history.messages("Be brief.")).expect("JSON");
        let mut owed: VecDeque<Value> = VecDeque::new();
        for message in messages.as_array().expect("messages") {
            if message["role"] == "tool" {
                assert_eq!(Some(&message["tool_call_id"]), owed.pop_front().as_ref());
                continue;
            }
            assert!(owed.is_empty(), "{owed:?} not answered before {message}");
            let calls = message["tool_calls"].as_array().into_iter().flatten();
            owed.extend(calls.map(|call| call["id"].clone()));
        }
        assert!(owed.is_empty(), "{owed:?} not answered at the end");
    }

    proptest! {
        #[test]
        fn whatever_happens_the_messages_are_valid(
            happenings in prop::collection::vec(happening(), 0..40),
        ) {
            let mut history = History::new(Limits { messages: 12, chars: 120 });
            history.begin("Hello?");
            for happening in happenings {
                take(&mut history, happening);
                assert_valid(&history);
            }
        }
    }
}
