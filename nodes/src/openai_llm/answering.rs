//! One answer: requests until the model has said all, each token passed on at once.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep, timeout_at};
use voicegraph_engine::event::Event as CallEvent;
use voicegraph_engine::message::{Envelope, TextDelta};
use voicegraph_engine::node::NodeError;
use voicegraph_engine::turn::{Mark, Turn};

use super::answer::{Answer, Call};
use super::conversation::{Conversation, fatal};
use super::reply::Reply;
use super::wire::{Event, Request, ToolChoice};
use crate::provider::Failure;

/// Why an attempt at an answer ended early.
enum Stop {
    /// The provider failed.
    Provider(Failure),
    /// The node cannot go on.
    Node(NodeError),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Provider(failure)
    }
}

impl From<NodeError> for Stop {
    fn from(error: NodeError) -> Self {
        Self::Node(error)
    }
}

impl Conversation {
    /// Asks the model, and again with the results of the tools that it calls, up to the cap.
    pub(super) async fn ask_model(&mut self, turn: &Turn) -> Result<(), NodeError> {
        {
            let _wait = turn.wait();
            self.await_calls().await;
        }
        for _ in 0..self.settings.max_tool_steps {
            let calls = self.ask(turn, ToolChoice::Auto).await?;
            if calls.is_empty() {
                return Ok(());
            }
            self.use_tools(turn, calls).await?;
        }
        self.ask(turn, ToolChoice::None).await?;
        Ok(())
    }

    /// Passes text on to be spoken.
    pub(super) async fn say(&mut self, turn: &Turn, text: String) -> Result<(), NodeError> {
        let delta = format!("{}{text}", self.history.gap_before(&text));
        self.history.say(&text);
        self.ctx.tell(&CallEvent::AgentText { turn: turn.id(), text: delta.clone() });
        Ok(self.text.send(Envelope::turn(turn, TextDelta { text: delta })).await?)
    }

    /// One answer of the model; returns the tools that it calls. Failed attempts are repeated as
    /// long as nothing of the answer was passed on.
    async fn ask(&mut self, turn: &Turn, choice: ToolChoice) -> Result<Vec<Call>, NodeError> {
        let body = self.request(choice);
        self.backoff.succeeded();
        loop {
            let mut answer = Answer::default();
            match self.attempt(turn, &body, &mut answer).await {
                Ok(()) => return Ok(answer.into_calls()),
                Err(Stop::Node(error)) => return Err(error),
                Err(Stop::Provider(failure)) if answer.spoke() => {
                    self.ctx.tell_fault(&failure.what, None);
                    return Ok(Vec::new());
                }
                Err(Stop::Provider(failure)) => self.pause(turn, &failure).await?,
            }
        }
    }

    fn request(&self, choice: ToolChoice) -> Bytes {
        let messages = self.history.messages(&self.system);
        let tools = self.ctx.tools.iter().map(|tool| (&tool.spec).into()).collect();
        Request::new(&self.settings, messages, tools, choice).encode().into()
    }

    async fn attempt(
        &mut self,
        turn: &Turn,
        body: &Bytes,
        answer: &mut Answer,
    ) -> Result<(), Stop> {
        let mut reply = self.line.ask(turn, body).await?;
        let limit = self.settings.first_token_timeout;
        let mut since = reply.requested;
        let mut announced = false;
        while !answer.is_finished() {
            let event = {
                let _wait = turn.wait();
                next_event(&mut reply, since, limit).await?
            };
            let chunk = match event {
                Some(Event::Chunk(chunk)) => chunk,
                Some(Event::Unreadable(why)) => {
                    answer.pass_over(&why)?;
                    self.ctx.tell_fault(&why, None);
                    continue;
                }
                Some(Event::Done) => {
                    announced = true;
                    break;
                }
                None => break,
            };
            let before = answer.tokens();
            let text = answer.add(chunk)?;
            if before == 0 && answer.tokens() > 0 {
                self.note_first_token(turn, reply.requested);
            }
            if let Some(text) = text {
                self.say(turn, text).await?;
            }
            if answer.tokens() > before {
                since = Instant::now();
            }
        }
        answer.end(announced)?;
        if let Some(reason) = answer.shortfall() {
            tracing::debug!(node = %self.ctx.node, reason, "the answer was cut short");
        }
        self.line.leave(reply);
        Ok(())
    }

    fn note_first_token(&self, turn: &Turn, requested: Instant) {
        turn.mark(Mark::LlmFirstToken);
        self.ctx.meter.record(requested.elapsed());
    }

    async fn pause(&mut self, turn: &Turn, failure: &Failure) -> Result<(), NodeError> {
        let delay = self.backoff.after(failure);
        self.ctx.tell_fault(&failure.what, delay);
        let delay = delay.ok_or_else(|| fatal(failure))?;
        let _wait = turn.wait();
        sleep(delay).await;
        Ok(())
    }
}

/// The next event of an answer that has been without a token since `since`, for at most `limit`.
async fn next_event(
    reply: &mut Reply,
    since: Instant,
    limit: Duration,
) -> Result<Option<Event>, Failure> {
    let event = timeout_at(since + limit, reply.next()).await;
    event.map_err(|_| Failure::retry(format!("no token within {} ms", limit.as_millis())))?
}
