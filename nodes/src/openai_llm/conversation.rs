//! The life of one call: turns come in, are answered one by one, and are broken off.

use std::sync::Arc;

use voicegraph_engine::edge::{Input, Output};
use voicegraph_engine::message::{Envelope, TextDelta, ToolCall, UserTurn};
use voicegraph_engine::node::{Context, NodeError};
use voicegraph_engine::turn::Turn;

use super::calls::Calls;
use super::config::Settings;
use super::history::History;
use super::line::Line;
use super::prompt;
use crate::provider::{Backoff, Failure};

/// The state of one call. What an interruption must not lose is held here, not in a future: the
/// history and the tool calls that are not over.
pub(super) struct Conversation {
    pub(super) settings: Arc<Settings>,
    /// The system prompt, with what the call was given.
    pub(super) system: String,
    pub(super) ctx: Context,
    pub(super) line: Line,
    pub(super) text: Output<TextDelta>,
    pub(super) call: Output<ToolCall>,
    pub(super) history: History,
    pub(super) calls: Calls,
    pub(super) backoff: Backoff,
    /// The last turn begun, by which the history is cut when the next one begins.
    last_turn: Option<Turn>,
}

impl Conversation {
    /// A conversation not yet begun.
    pub(super) fn new(
        settings: Arc<Settings>,
        ctx: Context,
        line: Line,
        text: Output<TextDelta>,
        call: Output<ToolCall>,
    ) -> Self {
        let history = History::new(settings.history);
        let backoff = Backoff::new(settings.max_retries, ctx.rng());
        let calls = Calls::default();
        let system = settings.system.render(ctx.variables());
        let system = prompt::of_call(&system, settings.time_zone, ctx.started_at).into_owned();
        Self { settings, system, ctx, line, text, call, history, calls, backoff, last_turn: None }
    }

    /// Answers turns until there are no more.
    ///
    /// # Errors
    /// The provider refuses for good, or nobody listens.
    pub(super) async fn run(mut self, mut turns: Input<UserTurn>) -> Result<(), NodeError> {
        while let Some(envelope) = self.next_turn(&mut turns).await {
            let Some(turn) = envelope.turn_of().cloned() else {
                continue;
            };
            self.begin(&turn, &envelope.body);
            let answered = tokio::select! {
                biased;
                () = turn.cancelled() => None,
                answered = self.answer(&turn, &envelope.body) => Some(answered),
            };
            match answered {
                Some(answered) => answered?,
                None => self.break_off(),
            }
        }
        self.await_calls().await;
        Ok(())
    }

    /// The next turn. Meanwhile results of tools enter the history, and the connection is made
    /// ready.
    async fn next_turn(&mut self, turns: &mut Input<UserTurn>) -> Option<Envelope<UserTurn>> {
        loop {
            tokio::select! {
                biased;
                turn = turns.recv() => return turn,
                (call, ending) = self.calls.next() => self.end_call(&call, ending),
                () = self.line.tidy(), if self.line.is_untidy() => {}
            }
        }
    }

    fn begin(&mut self, turn: &Turn, user: &UserTurn) {
        if let Some(last) = self.last_turn.replace(turn.clone()) {
            self.history.cut(&last.heard());
        }
        self.history.begin(&user.text);
    }

    async fn answer(&mut self, turn: &Turn, user: &UserTurn) -> Result<(), NodeError> {
        let greeting = self.settings.greeting.as_ref().filter(|_| user.text.is_empty());
        let greeting = greeting.map(|greeting| greeting.render(self.ctx.variables()));
        let greeting = greeting.filter(|greeting| !greeting.trim().is_empty());
        match greeting {
            Some(greeting) => self.say(turn, greeting).await?,
            None => self.ask_model(turn).await?,
        }
        let end = TextDelta { text: String::new() };
        Ok(self.text.send(Envelope::turn(turn, end).last()).await?)
    }
}

/// The error by which a call ends that its provider will not carry on.
pub(super) fn fatal(failure: &Failure) -> NodeError {
    NodeError::Provider { provider: "openai", reason: failure.to_string() }
}
