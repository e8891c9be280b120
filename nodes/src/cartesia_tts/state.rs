//! One turn's speech as a pure state machine: it knows the provider's contexts, and neither socket
//! nor clock.
//!
//! ```text
//!   text ──> chunks ──> requests ┐                       ┌ sound ──> frames of 20 ms
//!                                ├── context, context … ─┤
//!   replies, deadlines ──────────┘                       └ words with turn-relative times
//! ```
//!
//! A turn is one context, so that its prosody is of one piece. Only where a context fails, or
//! expires while text pauses, a further one takes up the text that was not voiced. Messages of any
//! other context are passed over: what a cancelled one still sends is of no concern.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use tokio::time::Instant;
use voicegraph_engine::message::AudioFrame;
use voicegraph_engine::turn::SpokenWord;

use super::chunk::{ChunkLimits, Chunker, is_speakable};
use super::context::Context;
use super::sound::Sound;
use super::wire::{Body, Reply, Request, WireError};
use crate::provider::Failure;

/// The most of a provider's error that is repeated.
const MAX_DETAIL_CHARS: usize = 200;

/// The limits of one turn's speech.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// From a context's first text to its first sound.
    pub(super) first_audio: Duration,
    /// Between messages of a context that owes sound.
    pub(super) progress: Duration,
    /// How much sound waits here before reading stops.
    pub(super) buffer: Duration,
    /// Where text is cut.
    pub(super) chunks: ChunkLimits,
}

/// One turn's speech.
#[derive(Debug)]
pub(super) struct Speech {
    name: String,
    limits: Limits,
    chunker: Chunker,
    queue: VecDeque<String>,
    text_ended: bool,
    attempts: u32,
    context: Option<Context>,
    sound: Sound,
    not_before: Option<Instant>,
}

/// What a reply brought.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct News {
    /// Words whose sound is in hand, with times counted from the turn's first sound.
    pub(super) words: Vec<SpokenWord>,
    /// Whether the provider has done all that was asked of it.
    pub(super) done: bool,
}

impl Speech {
    /// The speech of the turn that contexts are named after, at `rate` samples per second.
    pub(super) fn new(name: String, rate: NonZeroU32, limits: Limits) -> Self {
        Self {
            name,
            limits,
            chunker: Chunker::new(limits.chunks),
            queue: VecDeque::new(),
            text_ended: false,
            attempts: 0,
            context: None,
            sound: Sound::new(rate),
            not_before: None,
        }
    }

    /// Appends text to be spoken.
    pub(super) fn add_text(&mut self, text: &str) {
        self.chunker.push(text);
        self.queue.extend(std::iter::from_fn(|| self.chunker.next_chunk()));
    }

    /// No more text follows. A rest that cannot be said goes with the words before it, or nowhere.
    pub(super) fn end_text(&mut self) {
        self.text_ended = true;
        let rest = self.chunker.finish();
        match self.queue.back_mut() {
            Some(last) if !is_speakable(&rest) => last.push_str(&rest),
            _ if is_speakable(&rest) => self.queue.push_back(rest),
            _ => {}
        }
    }

    /// Whether more text can be taken: what was taken before is sent.
    pub(super) fn wants_text(&self) -> bool {
        !self.text_ended && self.queue.is_empty()
    }

    /// The next message to the provider, if one is due.
    pub(super) fn next_request(&mut self, now: Instant) -> Option<Request> {
        if self.not_before.is_some_and(|instant| now < instant) {
            return None;
        }
        if let Some(context) = self.leave_resting(now) {
            return Some(Request::Cancel { context });
        }
        match self.queue.pop_front() {
            Some(chunk) => Some(self.speak(chunk, now)),
            None if self.text_ended => self.context.as_mut()?.end(now),
            None => None,
        }
    }

    /// Completes the sound, once all text was spoken.
    pub(super) fn settle(&mut self) {
        if self.text_ended && !self.needs_provider() && !self.sound.is_finished() {
            self.sound.finish();
        }
    }

    /// Takes a reply.
    ///
    /// # Errors
    /// The provider's error, where it concerns this speech.
    pub(super) fn on_reply(&mut self, reply: Reply, now: Instant) -> Result<News, Failure> {
        let Some(context) = &mut self.context else {
            return Ok(News::default());
        };
        if context.is_other(reply.context.as_ref()) {
            return Ok(News::default());
        }
        context.touch(now);
        match reply.body {
            Body::Error(error) => return Err(failure(&error)),
            Body::Done if !context.has_sound() => return Err(Failure::retry("done without sound")),
            Body::Done => return Ok(News { words: self.finish_context(), done: true }),
            Body::Chunk(audio) => {
                context.hear();
                self.sound.push(&audio);
            }
            Body::Words(words) => context.time(words),
            Body::Other => {}
        }
        let received = self.sound.received();
        let words = self.context.as_mut().map(|context| context.voice(received));
        Ok(News { words: words.unwrap_or_default(), done: false })
    }

    /// When the provider is too late, unless it says something before. Never, while no more is
    /// read.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let context = self.context.as_ref().filter(|_| !self.is_full());
        context.and_then(|context| context.deadline(&self.limits))
    }

    /// The provider's failure, where it is too late.
    pub(super) fn stall(&self, now: Instant) -> Option<Failure> {
        let late = self.deadline()? <= now;
        self.context.as_ref().filter(|_| late).map(|context| context.stall(&self.limits))
    }

    /// When the next request may be made, after a failure.
    pub(super) fn not_before(&self) -> Option<Instant> {
        self.not_before
    }

    /// The delay after a failure is over.
    pub(super) fn allow(&mut self) {
        self.not_before = None;
    }

    /// Gives up the context, if there is one, and makes ready to speak the rest of its text in a
    /// new one, not before `instant`.
    pub(super) fn restart(&mut self, instant: Instant) {
        self.not_before = Some(instant);
        self.sound.align();
        let context = self.context.take();
        if let Some(rest) = context.and_then(|context| context.rest(self.sound.received())) {
            self.sound.cut(rest.cut);
            self.queue.push_front(rest.text);
        }
    }

    /// Whether any sound of the turn came.
    pub(super) fn has_sound(&self) -> bool {
        self.sound.received() > Duration::ZERO
    }

    /// Whether the provider is needed: text waits to be spoken, or is being spoken.
    pub(super) fn needs_provider(&self) -> bool {
        self.context.is_some() || !self.queue.is_empty()
    }

    /// Whether a context is in progress.
    pub(super) fn is_asking(&self) -> bool {
        self.context.is_some()
    }

    /// Whether all that can be done now is to wait for the turn's first sound.
    pub(super) fn awaits_sound(&self) -> bool {
        self.needs_provider() && !self.sound.has_begun()
    }

    /// The context to be cancelled, since the turn was interrupted.
    pub(super) fn cancel(self) -> Option<Request> {
        let context = self.context?.into_id();
        Some(Request::Cancel { context })
    }

    /// The next frame, and whether it is the turn's last.
    pub(super) fn pop_frame(&mut self, now: Instant) -> Option<(AudioFrame, bool)> {
        let was_full = self.is_full();
        let frame = self.sound.pop();
        if let Some(context) = self.context.as_mut().filter(|_| was_full) {
            context.touch(now);
        }
        frame
    }

    /// Whether a frame is to be passed on.
    pub(super) fn has_frame(&self) -> bool {
        self.sound.has_frame()
    }

    /// The length of the sound that waits to be passed on.
    pub(super) fn waiting(&self) -> Duration {
        self.sound.waiting()
    }

    /// Whether so much sound waits that no more is to be read.
    pub(super) fn is_full(&self) -> bool {
        self.waiting() >= self.limits.buffer
    }

    /// Whether the turn is spoken and all its sound passed on.
    pub(super) fn is_over(&self) -> bool {
        self.sound.is_over()
    }

    /// The request that speaks `chunk`, in the context at hand or in a new one.
    fn speak(&mut self, chunk: String, now: Instant) -> Request {
        let more = !(self.text_ended && self.queue.is_empty());
        let context = self.context.get_or_insert_with(|| {
            self.attempts += 1;
            let id = format!("{}-{}", self.name, self.attempts);
            Context::new(id, self.sound.received(), now)
        });
        context.speak(chunk, more, now)
    }

    /// Leaves a context that rests and would be needed again.
    fn leave_resting(&mut self, now: Instant) -> Option<String> {
        let needed = !self.queue.is_empty() || self.text_ended;
        let context = self.context.take_if(|context| needed && context.rests(now))?;
        self.sound.align();
        Some(context.into_id())
    }

    /// The provider is done with the context: as asked, or since it expired.
    fn finish_context(&mut self) -> Vec<SpokenWord> {
        self.sound.align();
        let Some(mut context) = self.context.take() else {
            return Vec::new();
        };
        let words = context.voice(Duration::MAX);
        if let Some(missed) = context.missed() {
            self.queue.push_front(missed);
        }
        words
    }
}

/// The failure that the provider's error stands for.
pub(super) fn failure(error: &WireError) -> Failure {
    let detail: String =
        error.message.chars().filter(|c| !c.is_control()).take(MAX_DETAIL_CHARS).collect();
    match error.status.and_then(|status| StatusCode::from_u16(status).ok()) {
        Some(status) => Failure::from_status(status, &HeaderMap::new(), &detail),
        None => Failure::retry(format!("error without a status: {detail}")),
    }
}

#[cfg(test)]
mod tests;
