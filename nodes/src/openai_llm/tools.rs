//! The tools that an answer calls: handed over all at once, awaited together, told to the model.

use serde_json::{Map, Value, json};
use tokio::time::{Instant, timeout_at};
use voicegraph_engine::edge::SendError;
use voicegraph_engine::event::{Event, ToolStage};
use voicegraph_engine::message::{
    Envelope, ToolCall, ToolError, ToolFailure, ToolReply, ToolResult,
};
use voicegraph_engine::node::{NodeError, Tool};
use voicegraph_engine::turn::Turn;

use super::answer::Call;
use super::calls::{Ending, Running};
use super::conversation::Conversation;
use super::history::Called;

/// The result of a call that the caller's interruption stopped.
const CANCELLED: &str = r#"{"error":"cancelled","message":"the caller interrupted"}"#;

/// The longest function name that the provider takes back.
const MAX_NAME_CHARS: usize = 64;

impl Conversation {
    /// Calls the tools of one answer and waits for them, so that the model can be asked again.
    pub(super) async fn use_tools(
        &mut self,
        turn: &Turn,
        calls: Vec<Call>,
    ) -> Result<(), NodeError> {
        let ids = self.history.call(calls.iter().map(called).collect());
        let _wait = turn.wait();
        let deadline = Instant::now() + self.settings.tool_timeout;
        for (id, call) in ids.into_iter().zip(calls) {
            match check(&call, &self.ctx.tools, self.calls.has_room()) {
                Ok((tool, arguments)) => {
                    self.hand_over(turn, deadline, id, tool, arguments).await?;
                }
                Err(error) => {
                    self.history.answer(&id, &content(&Err(error)));
                    self.tell_tool(turn, &call.name, ToolStage::Failed);
                }
            }
        }
        self.await_calls().await;
        Ok(())
    }

    /// Waits until no call is both running and before its deadline.
    pub(super) async fn await_calls(&mut self) {
        loop {
            let now = Instant::now();
            self.collect_calls();
            for call in self.calls.take_overdue_reads(now) {
                self.end_call(&call, Ending::TimedOut);
            }
            let Some(deadline) = self.calls.deadline(now) else {
                return;
            };
            if let Ok((call, ending)) = timeout_at(deadline, self.calls.next()).await {
                self.end_call(&call, ending);
            }
        }
    }

    /// Enters the result of a call into the history, in place of the one that stood in for it.
    pub(super) fn end_call(&mut self, call: &Running, ending: Ending) {
        let unavailable = |message: &str| {
            let message = message.to_owned();
            content(&Err(ToolError { failure: ToolFailure::Unavailable, message }))
        };
        let (stage, result) = match ending {
            Ending::Answered(result) if result.is_ok() => (ToolStage::Answered, content(&result)),
            Ending::Answered(result) => (ToolStage::Failed, content(&result)),
            Ending::Dropped if !call.turn.is_cancelled() => {
                (ToolStage::Failed, unavailable("the tool did not take the call"))
            }
            Ending::TimedOut => (ToolStage::Failed, unavailable("the tool took too long")),
            Ending::Dropped | Ending::Cancelled => (ToolStage::Cancelled, CANCELLED.to_owned()),
        };
        self.history.answer(&call.id, &result);
        self.tell_tool(&call.turn, &call.name, stage);
    }

    /// After an interruption: stops the tools that read, lets those go on that write.
    pub(super) fn break_off(&mut self) {
        self.collect_calls();
        for call in self.calls.take_reads() {
            self.end_call(&call, Ending::Cancelled);
        }
        for id in self.history.running() {
            if !self.calls.contains(&id) {
                self.history.answer(&id, CANCELLED);
            }
        }
    }

    fn collect_calls(&mut self) {
        while let Some((call, ending)) = self.calls.take_ended() {
            self.end_call(&call, ending);
        }
    }

    /// Hands a call over to its tool. One that finds no room in time, or no tool any more, is
    /// dropped here, which its receiver sees.
    async fn hand_over(
        &mut self,
        turn: &Turn,
        deadline: Instant,
        id: String,
        tool: Tool,
        arguments: Value,
    ) -> Result<(), NodeError> {
        let (reply, receiver) = ToolReply::new();
        let name = tool.spec.name;
        self.calls.add(Running {
            id: id.clone(),
            name: name.clone(),
            effect: tool.spec.effect,
            turn: turn.clone(),
            deadline,
            reply: receiver,
        });
        self.tell_tool(turn, &name, ToolStage::Called);
        let call = Envelope::turn(turn, ToolCall { id, name, arguments, reply });
        match timeout_at(deadline, self.call.send_to(tool.edge, call)).await {
            Ok(Err(error @ SendError::Overflowed { .. })) => Err(error.into()),
            Ok(Ok(()) | Err(SendError::Closed)) | Err(_) => Ok(()),
        }
    }

    fn tell_tool(&self, turn: &Turn, name: &str, stage: ToolStage) {
        self.ctx.tell(&Event::Tool { turn: turn.id(), name: name.to_owned(), stage });
    }
}

/// The tool that a call means and the arguments for it; or what the model must be told instead.
fn check(call: &Call, tools: &[Tool], has_room: bool) -> Result<(Tool, Value), ToolError> {
    let error = |failure, message: &str| ToolError { failure, message: message.to_owned() };
    let tool = tools.iter().find(|tool| tool.spec.name == call.name);
    let tool = tool.ok_or_else(|| error(ToolFailure::NotFound, "there is no such tool"))?;
    if call.is_damaged {
        let message = "a part of the arguments was lost on the way; repeat the call";
        return Err(error(ToolFailure::InvalidArgument, message));
    }
    let arguments = arguments(&call.arguments)
        .map_err(|message| error(ToolFailure::InvalidArgument, &message))?;
    if !has_room {
        return Err(error(ToolFailure::Unavailable, "too many tools are still running"));
    }
    Ok((tool.clone(), arguments))
}

/// The arguments as a JSON object. A function without parameters gets none, or `null`.
fn arguments(text: &str) -> Result<Value, String> {
    if text.trim().is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    match serde_json::from_str(text) {
        Ok(Value::Null) => Ok(Value::Object(Map::new())),
        Ok(object @ Value::Object(_)) => Ok(object),
        Ok(_) => Err("the arguments must be a JSON object".to_owned()),
        Err(error) => Err(format!("the arguments are not valid JSON: {error}")),
    }
}

/// A call as the history keeps it. What the provider would refuse to take back is mended:
/// compatible servers parse the arguments again, and check the name.
fn called(call: &Call) -> Called {
    let arguments = arguments(&call.arguments).unwrap_or_else(|_| json!({})).to_string();
    let fit = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let mut name: String = call.name.chars().take(MAX_NAME_CHARS).map(fit).collect();
    if name.is_empty() {
        name.push('_');
    }
    Called { id: call.id.clone(), name, arguments, result: None }
}

/// A result as the model is told it.
fn content(result: &ToolResult) -> String {
    match result {
        Ok(Value::String(text)) => text.clone(),
        Ok(value) => value.to_string(),
        Err(ToolError { failure, message }) => {
            json!({ "error": failure.to_string(), "message": message }).to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_an_object_or_an_error() {
        for (text, expected) in [
            ("", Ok(json!({}))),
            (" ", Ok(json!({}))),
            ("null", Ok(json!({}))),
            (r#"{"city":"Rome"}"#, Ok(json!({"city": "Rome"}))),
            ("[1]", Err("the arguments must be a JSON object")),
            (r#"{"city":"#, Err("the arguments are not valid JSON")),
        ] {
            match (arguments(text), expected) {
                (Ok(value), Ok(expected)) => assert_eq!(value, expected),
                (Err(message), Err(start)) => assert!(message.starts_with(start), "{message}"),
                (got, _) => panic!("{text:?}: {got:?}"),
            }
        }
    }

    #[test]
    fn what_the_provider_would_refuse_is_mended() {
        let call = |name: &str, arguments: &str| {
            let mut call = Call::default();
            call.name.push_str(name);
            call.arguments.push_str(arguments);
            called(&call)
        };
        assert_eq!(call("functions.get time", "{").name, "functions_get_time");
        assert_eq!(call("", "").name, "_");
        assert_eq!(call(&"x".repeat(80), "").name.len(), MAX_NAME_CHARS);
        assert_eq!(call("f", "{").arguments, "{}");
        assert_eq!(call("f", r#"{"a":1}"#).arguments, r#"{"a":1}"#);
    }

    #[test]
    fn results_are_told_as_json_and_text_as_it_is() {
        assert_eq!(content(&Ok(json!({"free": [9, 10]}))), r#"{"free":[9,10]}"#);
        assert_eq!(content(&Ok(json!("Tuesday"))), "Tuesday");
        let failure = ToolFailure::Named("slot_taken".to_owned());
        let error = ToolError { failure, message: "taken".to_owned() };
        assert_eq!(content(&Err(error)), r#"{"error":"slot_taken","message":"taken"}"#);
    }
}
