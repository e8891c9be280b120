//! The arguments of a scripted tool call: those that the script writes out, and those that it takes
//! from results that the conversation holds, as a model does.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::body::Message;

/// Arguments by name.
#[derive(Debug, Clone, Default)]
pub struct Arguments {
    /// Written out.
    pub fixed: Map<String, Value>,
    /// Taken from results.
    pub taken: BTreeMap<String, Source>,
}

/// A value in a tool's latest result.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The tool.
    pub tool: String,
    /// Where in its result: a JSON pointer (RFC 6901), `/rows/0/doctor_id`.
    pub at: String,
}

impl Arguments {
    /// The arguments as JSON text; `None` where no tool gave what is to be taken.
    pub(super) fn fill(&self, messages: &[Message]) -> Option<String> {
        let mut arguments = self.fixed.clone();
        for (name, source) in &self.taken {
            arguments.insert(name.clone(), source.find(messages)?);
        }
        Some(Value::Object(arguments).to_string())
    }
}

impl Source {
    fn find(&self, messages: &[Message]) -> Option<Value> {
        let result: Value = serde_json::from_str(latest(messages, &self.tool)?).ok()?;
        result.pointer(&self.at).cloned()
    }
}

/// The latest result of `tool`.
fn latest<'m>(messages: &'m [Message], tool: &str) -> Option<&'m str> {
    let mut ids = messages.iter().rev().flat_map(|message| match message {
        Message::Assistant(_, calls) => calls.as_slice(),
        _ => &[],
    });
    ids.find_map(|(id, name)| {
        let of_call = |message: &&Message| matches!(message, Message::Tool(of, _) if of == id);
        let result = messages.iter().find(of_call).filter(|_| name == tool)?;
        Some(result.text())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn messages() -> Vec<Message> {
        let call = |id: &str, tool: &str| {
            Message::Assistant(String::new(), vec![(id.to_owned(), tool.to_owned())])
        };
        let result = |id: &str, value: Value| Message::Tool(id.to_owned(), value.to_string());
        vec![
            call("1", "find"),
            result("1", json!({ "rows": [{ "id": 1 }] })),
            call("2", "find"),
            result("2", json!({ "rows": [{ "id": 2 }] })),
            call("3", "book"),
            result("3", json!({ "id": 3 })),
        ]
    }

    fn fill(tool: &str, at: &str) -> Option<String> {
        let source = Source { tool: tool.to_owned(), at: at.to_owned() };
        let taken = BTreeMap::from([("doctor_id".to_owned(), source)]);
        let arguments = Arguments { fixed: Map::from_iter([("a".to_owned(), json!(true))]), taken };
        arguments.fill(&messages())
    }

    #[test]
    fn the_latest_result_counts() {
        let expected = json!({ "a": true, "doctor_id": 2 }).to_string();
        assert_eq!(fill("find", "/rows/0/id"), Some(expected));
    }

    #[test]
    fn what_no_tool_gave_is_missing() {
        for (tool, at) in [("find", "/rows/1/id"), ("look", "/rows/0/id"), ("book", "/rows")] {
            assert_eq!(fill(tool, at), None, "{tool} {at}");
        }
    }
}
