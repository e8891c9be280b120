//! One call's voice: turn after turn over one line; nothing clever.
//!
//! The async half of the node. What is to be said, and what a reply means, the state knows; the
//! speaker waits for whatever comes first and carries it from one to the other.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use voicegraph_engine::edge::Input;
use voicegraph_engine::message::{AudioFrame, Envelope, TextDelta};
use voicegraph_engine::metrics::Usage;
use voicegraph_engine::node::{Context, NodeError};
use voicegraph_engine::turn::{Turn, TurnId};

use super::first_sound::FirstSound;
use super::line::{Line, LineEvent, Loss};
use super::settings::Settings;
use super::state::{Speech, failure};
use super::wire::{Body, Reply, Request};
use crate::provider::{Backoff, Failure, Verdict};

/// The provider's name in errors.
const PROVIDER: &str = "cartesia";

/// The pace of attempts to reconnect while nobody needs the line and retries are used up.
const SLOW: Duration = Duration::from_secs(5);

/// One call's voice.
pub(super) struct Speaker {
    settings: Arc<Settings>,
    ctx: Context,
    line: Line,
    backoff: Backoff,
    text: Input<TextDelta>,
    frames: mpsc::Sender<Envelope<AudioFrame>>,
    /// The last turn that was begun. Text for it or one before, after its end, comes too late: its
    /// last frame is out.
    begun: Option<TurnId>,
}

/// What a turn waits for.
enum Event {
    Interrupted,
    /// There is room for a frame.
    Room,
    Line(LineEvent),
    Text(Option<Envelope<TextDelta>>),
    /// A deadline has passed, or a delay is over.
    Late,
}

impl Speaker {
    /// A voice whose line is being opened.
    pub(super) fn new(
        settings: Arc<Settings>,
        ctx: Context,
        text: Input<TextDelta>,
        frames: mpsc::Sender<Envelope<AudioFrame>>,
    ) -> Self {
        let line = Line::new(Arc::clone(&settings), ctx.connector.clone());
        let backoff = Backoff::new(settings.max_retries, ctx.rng());
        Self { settings, ctx, line, backoff, text, frames, begun: None }
    }

    /// Speaks turn after turn until no more text can come.
    pub(super) async fn serve(mut self) -> Result<(), NodeError> {
        let mut next = self.idle().await?;
        while let Some(delta) = next {
            next = match delta.turn_of().cloned() {
                Some(turn) if self.begun < Some(turn.id()) => self.speak(&turn, delta).await?,
                late => {
                    let turn = late.map(|turn| turn.id().0);
                    tracing::warn!(node = %self.ctx.node, turn, "text out of turn is left out");
                    None
                }
            };
            if next.is_none() {
                next = self.idle().await?;
            }
        }
        self.line.close().await;
        Ok(())
    }

    /// Waits for text, and keeps the line open meanwhile.
    async fn idle(&mut self) -> Result<Option<Envelope<TextDelta>>, NodeError> {
        loop {
            let renewal = earliest([self.line.renewal(), self.line.write_deadline()]);
            tokio::select! {
                biased;
                delta = self.text.recv() => return Ok(delta),
                event = self.line.event() => match event {
                    LineEvent::Opened | LineEvent::Written => {}
                    LineEvent::Said(reply) => refuse_fatal(reply)?,
                    LineEvent::Lost(loss) => self.reopen(&loss)?,
                },
                () = until(renewal) => self.line.reopen(Duration::ZERO),
            }
        }
    }

    /// Speaks one turn, of which `delta` is the first text. Gives the first text of another turn,
    /// where that came before this turn's text was complete.
    async fn speak(
        &mut self,
        turn: &Turn,
        delta: Envelope<TextDelta>,
    ) -> Result<Option<Envelope<TextDelta>>, NodeError> {
        let name = format!("{}-{}", self.ctx.session_id, turn.id());
        let mut speech = Speech::new(name, self.settings.rate, self.settings.limits);
        let mut first_sound = FirstSound::new(turn);
        // Each turn has its own retries: what failed while nobody spoke is forgiven.
        self.backoff.succeeded();
        self.begun = Some(turn.id());
        take_text(&mut speech, turn, Some(delta));
        while !speech.is_over() {
            self.request(&mut speech, &mut first_sound);
            first_sound.wait_while(speech.awaits_sound());
            match self.next_event(&mut speech, turn).await {
                Event::Interrupted => {
                    self.cancel(speech);
                    return Ok(None);
                }
                Event::Room => self.pass_frame(&mut speech, turn),
                Event::Line(event) => self.on_line(event, &mut speech, &mut first_sound)?,
                Event::Text(Some(delta)) if !is_of(&delta, turn) => {
                    self.cancel(speech);
                    return Ok(Some(delta));
                }
                Event::Text(delta) => take_text(&mut speech, turn, delta),
                Event::Late => self.on_late(&mut speech)?,
            }
        }
        Ok(None)
    }

    /// Sends what is due while the line takes it.
    fn request(&mut self, speech: &mut Speech, first_sound: &mut FirstSound<'_>) {
        while self.line.is_clear() {
            let Some(request) = speech.next_request(Instant::now()) else {
                break;
            };
            if let Request::Speak { transcript, .. } = &request {
                first_sound.requested();
                self.ctx.meter.used(Usage::TtsCharacters, transcript.chars().count() as u64);
            }
            self.line.say(&request);
        }
        speech.settle();
    }

    async fn next_event(&mut self, speech: &mut Speech, turn: &Turn) -> Event {
        let full = speech.is_full();
        let deadline = match full {
            true => None,
            false => earliest([
                speech.deadline(),
                self.line.write_deadline(),
                speech.not_before().filter(|_| self.line.is_clear()),
            ]),
        };
        tokio::select! {
            biased;
            () = turn.cancelled() => Event::Interrupted,
            Ok(_) = self.frames.reserve(), if speech.has_frame() => Event::Room,
            event = self.line.event(), if !full => Event::Line(event),
            delta = self.text.recv(), if speech.wants_text() => Event::Text(delta),
            () = until(deadline) => Event::Late,
        }
    }

    fn pass_frame(&mut self, speech: &mut Speech, turn: &Turn) {
        if let Some((frame, last)) = speech.pop_frame(Instant::now()) {
            let frame = Envelope::turn(turn, frame);
            let frame = if last { frame.last() } else { frame };
            // Refused only where nobody reads any more; then the other half ends the node.
            drop(self.frames.try_send(frame));
        }
    }

    fn on_line(
        &mut self,
        event: LineEvent,
        speech: &mut Speech,
        first_sound: &mut FirstSound<'_>,
    ) -> Result<(), NodeError> {
        match event {
            LineEvent::Opened | LineEvent::Written => Ok(()),
            LineEvent::Said(reply) => self.on_reply(reply, speech, first_sound),
            LineEvent::Lost(loss)
                if speech.is_asking() || (speech.needs_provider() && !loss.was_steady) =>
            {
                self.restart_on_new_line(&loss.failure, speech)
            }
            LineEvent::Lost(loss) => self.reopen(&loss),
        }
    }

    fn on_reply(
        &mut self,
        reply: Reply,
        speech: &mut Speech,
        first_sound: &mut FirstSound<'_>,
    ) -> Result<(), NodeError> {
        let is_sound = matches!(reply.body, Body::Chunk(_));
        match speech.on_reply(reply, Instant::now()) {
            Ok(news) => {
                if is_sound && speech.has_sound() {
                    first_sound.came(&self.ctx.meter);
                }
                if news.done {
                    self.backoff.succeeded();
                    self.line.served();
                }
                first_sound.turn().add_words(news.words);
                Ok(())
            }
            Err(failure) => {
                let delay = self.retry(&failure)?;
                speech.restart(Instant::now() + delay);
                Ok(())
            }
        }
    }

    /// A deadline has passed: the provider's, or the network's; or the delay before a new attempt.
    fn on_late(&mut self, speech: &mut Speech) -> Result<(), NodeError> {
        let now = Instant::now();
        if let Some(stall) = speech.stall(now) {
            return self.restart_on_new_line(&stall, speech);
        }
        if self.line.write_deadline().is_some_and(|deadline| deadline <= now) {
            let limit = self.settings.send_timeout.as_millis();
            let stall = Failure::retry(format!("a message was not taken within {limit} ms"));
            return self.restart_on_new_line(&stall, speech);
        }
        speech.allow();
        Ok(())
    }

    fn restart_on_new_line(
        &mut self,
        failure: &Failure,
        speech: &mut Speech,
    ) -> Result<(), NodeError> {
        let delay = self.retry(failure)?;
        speech.restart(Instant::now() + delay);
        self.line.reopen(delay);
        Ok(())
    }

    /// Stops the turn's context; the line serves the next turn.
    fn cancel(&mut self, speech: Speech) {
        self.ctx.meter.discarded(speech.waiting());
        if let Some(cancel) = speech.cancel() {
            self.line.say(&cancel);
            self.line.served();
        }
    }

    /// Reopens the line while nothing is asked on it: silently where it had proved good, since
    /// providers close what is idle; and on and on, slowly, where retries are used up, for each
    /// turn has its own.
    fn reopen(&mut self, loss: &Loss) -> Result<(), NodeError> {
        let failure = &loss.failure;
        if failure.verdict == Verdict::Fatal {
            self.retry(failure)?;
        }
        let delay = match loss.was_steady {
            true => Duration::ZERO,
            false => self.retry(failure).unwrap_or(SLOW),
        };
        self.line.reopen(delay);
        Ok(())
    }

    /// The delay before the next attempt.
    fn retry(&mut self, failure: &Failure) -> Result<Duration, NodeError> {
        let delay = self.backoff.after(failure);
        self.ctx.tell_fault(&format!("{PROVIDER}: {failure}"), delay);
        delay.ok_or_else(|| fatal(failure))
    }
}

/// Takes a piece of text; the turn's text is complete with its last, and at the end of the input.
fn take_text(speech: &mut Speech, turn: &Turn, delta: Option<Envelope<TextDelta>>) {
    if let Some(delta) = &delta {
        turn.add_text(&delta.body.text);
        speech.add_text(&delta.body.text);
    }
    if delta.is_none_or(|delta| delta.last) {
        speech.end_text();
    }
}

fn is_of(delta: &Envelope<TextDelta>, turn: &Turn) -> bool {
    delta.turn_of().is_some_and(|other| other.id() == turn.id())
}

/// Between turns only an error of the whole connection is of concern.
fn refuse_fatal(reply: Reply) -> Result<(), NodeError> {
    match reply {
        Reply { context: None, body: Body::Error(error) } => {
            let failure = failure(&error);
            if failure.verdict == Verdict::Fatal { Err(fatal(&failure)) } else { Ok(()) }
        }
        _ => Ok(()),
    }
}

fn fatal(failure: &Failure) -> NodeError {
    NodeError::Provider { provider: PROVIDER, reason: failure.to_string() }
}

fn earliest<const N: usize>(instants: [Option<Instant>; N]) -> Option<Instant> {
    instants.into_iter().flatten().min()
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => pending().await,
    }
}
