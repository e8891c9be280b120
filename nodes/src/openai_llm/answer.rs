//! What has come of one answer so far: text is passed through, tool calls are put together. Pure.

use super::wire::{CallDelta, Chunk};
use crate::provider::Failure;

/// The most tool calls of one answer. A model that makes more is out of its mind.
const MAX_CALLS: usize = 32;

/// The most chunks of one answer that are passed over because they cannot be read. One may be the
/// slip of a proxy; more are a server that speaks something else.
const MAX_UNREADABLE: usize = 3;

/// One answer of the model, as far as it has come.
#[derive(Debug, Default)]
pub(super) struct Answer {
    calls: Vec<Call>,
    tokens: usize,
    spoke: bool,
    unreadable: usize,
    finish: Option<String>,
}

/// A tool call, put together from its fragments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Call {
    /// The provider's id; empty where it gave none.
    pub(super) id: String,
    /// The function's name, as the model wrote it.
    pub(super) name: String,
    /// The JSON text of the arguments, as the model wrote it; empty where it wrote none.
    pub(super) arguments: String,
    /// Whether a piece of it may be missing. What is left may read as JSON all the same.
    pub(super) is_damaged: bool,
    index: Option<u64>,
}

impl Answer {
    /// Takes the next chunk; returns the text that it adds.
    ///
    /// # Errors
    /// The answer holds more calls than any sane one.
    pub(super) fn add(&mut self, chunk: Chunk) -> Result<Option<String>, Failure> {
        let (delta, finish) = chunk.into_delta();
        self.finish = self.finish.take().or(finish.filter(|reason| !reason.is_empty()));
        for fragment in delta.tool_calls.into_iter().flatten() {
            self.add_fragment(fragment)?;
            self.tokens += 1;
        }
        let text: String = delta.content.into_iter().chain(delta.refusal).collect();
        self.spoke |= !text.is_empty();
        self.tokens += usize::from(!text.is_empty());
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    /// Passes over a chunk that could not be read: text lacks a piece, and so may the last call.
    ///
    /// # Errors
    /// There were too many.
    pub(super) fn pass_over(&mut self, why: &str) -> Result<(), Failure> {
        self.unreadable += 1;
        if self.unreadable > MAX_UNREADABLE {
            return Err(Failure::retry(why));
        }
        if let Some(call) = self.calls.last_mut() {
            call.is_damaged = true;
        }
        Ok(())
    }

    /// Checks that the stream may end here. `announced` says that the provider said so itself.
    ///
    /// # Errors
    /// It was cut off, or nothing of it could be read.
    pub(super) fn end(&self, announced: bool) -> Result<(), Failure> {
        match () {
            () if !announced && !self.is_finished() => {
                Err(Failure::retry("the answer was cut off"))
            }
            () if self.unreadable > 0 && self.tokens == 0 => {
                Err(Failure::retry("nothing of the answer could be read"))
            }
            () => Ok(()),
        }
    }

    /// How many pieces of it came: of text and of tool calls.
    pub(super) fn tokens(&self) -> usize {
        self.tokens
    }

    /// Whether text of it was given out, so that asking again would say it twice.
    pub(super) fn spoke(&self) -> bool {
        self.spoke
    }

    /// Whether it is complete. What follows in the stream is bookkeeping.
    pub(super) fn is_finished(&self) -> bool {
        self.finish.is_some()
    }

    /// Why the model ended early, where it did: out of tokens, or stopped by a filter.
    pub(super) fn shortfall(&self) -> Option<&str> {
        self.finish.as_deref().filter(|reason| matches!(*reason, "length" | "content_filter"))
    }

    /// The tool calls, in the order of the answer. They decide whether tools are used, not the
    /// reason of the finish: servers disagree about that one.
    pub(super) fn into_calls(self) -> Vec<Call> {
        self.calls
    }

    fn add_fragment(&mut self, fragment: CallDelta) -> Result<(), Failure> {
        let at = self.place(&fragment);
        if at == MAX_CALLS {
            return Err(Failure::retry(format!("more than {MAX_CALLS} tool calls in an answer")));
        }
        if at == self.calls.len() {
            self.calls.push(Call { index: fragment.index, ..Call::default() });
        }
        let call = &mut self.calls[at];
        let function = fragment.function.unwrap_or_default();
        set_once(&mut call.id, fragment.id);
        set_once(&mut call.name, function.name);
        call.arguments.push_str(&function.arguments.unwrap_or_default());
        Ok(())
    }

    /// Which call a fragment belongs to; one past the last where it begins a new one. OpenAI
    /// numbers the calls. Others number all with 0, or none, or repeat the id on each fragment: so
    /// a known id decides first, and a new one begins a new call.
    fn place(&self, fragment: &CallDelta) -> usize {
        let new = self.calls.len();
        let id = fragment.id.as_deref().filter(|id| !id.is_empty());
        if let Some(known) = id.and_then(|id| self.calls.iter().position(|call| call.id == id)) {
            return known;
        }
        let place = match fragment.index {
            Some(_) => self.calls.iter().rposition(|call| call.index == fragment.index),
            None if is_named(fragment) => None,
            None => new.checked_sub(1),
        };
        let place = place.filter(|place| id.is_none() || self.calls[*place].id.is_empty());
        place.unwrap_or(new)
    }
}

fn is_named(fragment: &CallDelta) -> bool {
    let name = fragment.function.as_ref().and_then(|function| function.name.as_deref());
    name.is_some_and(|name| !name.is_empty())
}

fn set_once(field: &mut String, value: Option<String>) {
    if field.is_empty() {
        *field = value.unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::super::wire::{Event, decode};
    use super::*;

    fn answer(deltas: &[&str]) -> (Answer, String) {
        let mut answer = Answer::default();
        let mut text = String::new();
        for delta in deltas {
            let Ok(Event::Chunk(chunk)) = decode(&format!(r#"{{"choices":[{delta}]}}"#)) else {
                panic!("{delta} is a chunk");
            };
            text.push_str(&answer.add(chunk).expect(delta).unwrap_or_default());
        }
        (answer, text)
    }

    /// Checks `(id, name, arguments)` of the calls in these choices.
    fn check(choices: &[&str], expected: &[(&str, &str, &str)]) {
        let calls = answer(choices).0.into_calls();
        let calls: Vec<_> = calls
            .iter()
            .map(|call| (call.id.as_str(), call.name.as_str(), call.arguments.as_str()))
            .collect();
        assert_eq!(calls, expected);
    }

    /// The same for fragments of calls, each list in a chunk of its own.
    fn check_fragments(lists: &[&str], expected: &[(&str, &str, &str)]) {
        let choice = |list: &&str| format!(r#"{{"delta":{{"tool_calls":[{list}]}}}}"#);
        let choices: Vec<String> = lists.iter().map(choice).collect();
        check(&choices.iter().map(String::as_str).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn puts_the_calls_of_the_reference_together() {
        let choices: Vec<&str> = include_str!("testdata/tool_calls.jsonl").lines().collect();
        let weather = ("call_a", "get_weather", r#"{"city":"Rome"}"#);
        check(&choices, &[weather, ("call_b", "get_time", "{}")]);
    }

    #[test]
    fn interleaved_calls_are_told_apart_by_index() {
        check_fragments(
            &[
                r#"{"index":0,"id":"a","function":{"name":"f"}}"#,
                r#"{"index":1,"id":"b","function":{"name":"g"}}"#,
                r#"{"index":1,"function":{"arguments":"{\"y\""}}"#,
                r#"{"index":0,"function":{"arguments":"{\"x\":1}"}}"#,
                r#"{"index":1,"function":{"arguments":":2}"}}"#,
            ],
            &[("a", "f", r#"{"x":1}"#), ("b", "g", r#"{"y":2}"#)],
        );
    }

    #[test]
    fn a_new_id_begins_a_new_call_whatever_the_index() {
        for index in ["", r#""index":0,"#] {
            let fragment = |rest: &str| format!("{{{index}{rest}}}");
            let first = fragment(r#""id":"a","function":{"name":"f","arguments":"{"}"#);
            let more = fragment(r#""function":{"arguments":"}"}"#);
            let second = fragment(r#""id":"b","function":{"name":"f","arguments":"{}"}"#);
            check_fragments(&[&first, &more, &second], &[("a", "f", "{}"), ("b", "f", "{}")]);
        }
    }

    #[test]
    fn a_repeated_id_goes_on_with_its_call() {
        check_fragments(
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}"#,
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"}"}}"#,
                r#"{"index":0,"id":"","function":{"name":"","arguments":" "}}"#,
            ],
            &[("a", "f", "{} ")],
        );
    }

    #[test]
    fn whole_calls_without_id_and_index_are_told_apart_by_name() {
        let two = r#"{"function":{"name":"f","arguments":"{}"}},
            {"function":{"name":"g","arguments":"{}"}}"#;
        check_fragments(&[two], &[("", "f", "{}"), ("", "g", "{}")]);
    }

    #[test]
    fn text_passes_through_with_refusals() {
        let (answer, text) = answer(&[
            r#"{"delta":{"role":"assistant","content":"","refusal":null}}"#,
            r#"{"delta":{"content":"I "}}"#,
            r#"{"delta":{"refusal":"cannot."}}"#,
            r#"{"delta":{},"finish_reason":"stop"}"#,
        ]);
        assert_eq!(text, "I cannot.");
        assert!(answer.is_finished() && answer.spoke());
    }

    #[test]
    fn an_end_without_a_finish_is_a_cut() {
        assert!(answer(&[r#"{"delta":{"content":"I"}}"#]).0.end(false).is_err());
        assert!(answer(&[r#"{"delta":{"content":"I"}}"#]).0.end(true).is_ok());
        assert!(answer(&[r#"{"delta":{},"finish_reason":"stop"}"#]).0.end(false).is_ok());
    }

    #[test]
    fn an_answer_cut_short_is_known() {
        assert_eq!(answer(&[r#"{"finish_reason":"length"}"#]).0.shortfall(), Some("length"));
        assert_eq!(answer(&[r#"{"finish_reason":"stop"}"#]).0.shortfall(), None);
    }

    #[test]
    fn an_answer_that_could_not_be_read_is_no_answer() {
        let (mut answer, _) = answer(&[]);
        answer.pass_over("unreadable").expect("one is passed over");
        assert!(answer.end(true).is_err());
    }

    #[test]
    fn a_call_that_may_lack_a_piece_is_known() {
        let call = |index| format!(r#"{{"index":{index},"id":"c{index}"}}"#);
        let choice = |index| format!(r#"{{"delta":{{"tool_calls":[{}]}}}}"#, call(index));
        let (mut answer, _) = answer(&[&choice(0), &choice(1)]);
        answer.pass_over("unreadable").expect("one is passed over");
        let damaged: Vec<bool> = answer.into_calls().iter().map(|call| call.is_damaged).collect();
        assert_eq!(damaged, [false, true]);
    }

    #[test]
    fn too_many_calls_are_refused() {
        let mut answer = Answer::default();
        let mut last = Ok(None);
        for index in 0..=MAX_CALLS {
            let call = format!(r#"{{"index":{index},"id":"c{index}"}}"#);
            let text = format!(r#"{{"choices":[{{"delta":{{"tool_calls":[{call}]}}}}]}}"#);
            let Ok(Event::Chunk(chunk)) = decode(&text) else { panic!("a chunk") };
            last = answer.add(chunk);
        }
        assert!(last.is_err());
    }
}
