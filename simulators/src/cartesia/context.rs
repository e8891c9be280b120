//! One context: text goes in, messages come out on an exact grid. Pure: told what arrives and asked
//! what is due. Audio of one stretch comes every `chunk / speed`, counted from the stretch's first
//! byte and never from the last chunk, so that nothing drifts.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::error::Problem;
use super::gather::Gather;
use super::request::{Format, Speak};
use super::script::{Fault, Script};
use super::speaker::{Speaker, Spoken};
use super::wire::Message;
use crate::audio::Timed;
use crate::fault::After;

/// Longest text of one context, in characters.
const TEXT_LIMIT: usize = 16_000;

/// The state of one context.
pub(super) struct Context {
    script: Arc<Script>,
    faults: Vec<Fault>,
    /// What its first request said.
    first: Speak,
    opened: Instant,
    /// The n-th of its connection, from 1.
    number: u64,
    characters: usize,
    gather: Gather,
    speaker: Speaker,
    queue: VecDeque<Item>,
    stretch: Stretch,
    flushes: u64,
    chunks: u64,
    /// A byte held back by the fault `odd_chunks`.
    carry: Vec<u8>,
    state: State,
}

/// How far a context is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// More text may come.
    Open,
    /// The last text has come.
    Ended,
    /// `done` or an error was sent, or it was cancelled: nothing more comes.
    Over,
}

/// What is to be sent, in order.
enum Item {
    Speech(Speech),
    FlushDone(u64),
    Done(Instant),
}

/// Speech that is being sent.
struct Speech {
    spoken: Spoken,
    /// Samples sent.
    taken: usize,
    /// When its first audio is there.
    ready: Instant,
    flush_id: u64,
}

/// Audio that is sent without a gap.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    begin: Instant,
    /// Samples sent since.
    samples: u64,
    /// Samples sent in the context.
    total: u64,
}

impl Context {
    /// The context that `first` opens at `now`; its text is not yet taken.
    pub(super) fn new(
        script: Arc<Script>,
        faults: Vec<Fault>,
        first: Speak,
        number: u64,
        now: Instant,
    ) -> Self {
        Self {
            speaker: Speaker::new(first.format.rate_hz),
            stretch: Stretch { begin: now, samples: 0, total: 0 },
            gather: Gather::default(),
            queue: VecDeque::new(),
            state: State::Open,
            opened: now,
            characters: 0,
            flushes: 0,
            chunks: 0,
            carry: Vec::new(),
            number,
            first,
            faults,
            script,
        }
    }

    /// How its audio is written.
    pub(super) fn format(&self) -> Format {
        self.first.format
    }

    /// Whether nothing more comes.
    pub(super) fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// Takes a request for this context.
    pub(super) fn push(&mut self, speak: &Speak, now: Instant) -> Result<(), Problem> {
        self.check(speak)?;
        self.characters += speak.text.chars().count();
        let delay = speak.buffer_delay.unwrap_or(self.script.buffer_delay);
        let clause = self.gather.push(&speak.text, delay, now);
        self.say(&clause, now);
        if speak.flush || !speak.has_more {
            self.release(now);
        }
        if speak.flush {
            self.flushes += 1;
            self.queue.push_back(Item::FlushDone(self.flushes));
        }
        if !speak.has_more {
            self.end(now);
        }
        Ok(())
    }

    fn check(&self, speak: &Speak) -> Result<(), Problem> {
        let bad = |message: &str| Err(Problem::bad("Invalid context", message));
        if self.state != State::Open {
            return bad("the context has ended; use a new context_id");
        }
        if speak.fixed != self.first.fixed {
            return bad("model_id, voice, output_format and language must not change");
        }
        if self.characters + speak.text.chars().count() > TEXT_LIMIT {
            return bad("the context has more than 16000 characters");
        }
        Ok(())
    }

    /// Speaks no more; with the fault `chunks_after_cancel` what is under way still comes.
    pub(super) fn cancel(&mut self, now: Instant) {
        if !self.faults.contains(&Fault::ChunksAfterCancel) {
            self.state = State::Over;
            return;
        }
        self.gather.release();
        self.queue.truncate(1);
        self.end(now);
    }

    /// When something is due.
    pub(super) fn due(&self) -> Option<Instant> {
        if self.is_over() {
            return None;
        }
        let idle = self.queue.is_empty() && self.gather.due().is_none();
        let expiry = (idle && self.state == State::Open).then(|| self.expires_at());
        let dues = [self.queue_due(), self.gather.due(), expiry, self.error_due()];
        dues.into_iter().flatten().min()
    }

    /// What is due at `now`, in order.
    pub(super) fn take(&mut self, now: Instant) -> Vec<Message> {
        let mut messages = Vec::new();
        while let Some(due) = self.due().filter(|due| *due <= now) {
            if let Some(problem) = self.failure(due) {
                self.state = State::Over;
                messages.push(Message::Error(problem));
            } else if self.gather.due().is_some_and(|until| until <= due) {
                self.release(due);
            } else if self.queue.is_empty() {
                self.end(due);
            } else {
                self.advance(due, &mut messages);
            }
        }
        messages
    }

    fn say(&mut self, text: &str, now: Instant) {
        let spoken = self.speaker.speak(&self.script, text);
        if spoken.samples.is_empty() {
            return;
        }
        let (ready, flush_id) = (now + self.script.first_byte, self.flushes + 1);
        self.queue.push_back(Item::Speech(Speech { spoken, taken: 0, ready, flush_id }));
    }

    fn release(&mut self, now: Instant) {
        let rest = self.gather.release();
        self.say(&rest, now);
    }

    fn end(&mut self, now: Instant) {
        let late = self.faults.iter().find_map(|fault| match fault {
            Fault::LateDone(late) => Some(*late),
            _ => None,
        });
        let all_sent = self.queue.iter().fold(self.free_at().max(now), |at, item| match item {
            Item::Speech(speech) => at.max(speech.ready) + self.pace(speech.left()),
            Item::FlushDone(_) | Item::Done(_) => at,
        });
        let at = late.map_or(self.opened, |late| all_sent + late);
        self.queue.push_back(Item::Done(at));
        self.state = State::Ended;
    }

    /// Sends the next of the queue.
    fn advance(&mut self, now: Instant, messages: &mut Vec<Message>) {
        match self.queue.front_mut() {
            Some(Item::Speech(_)) => self.chunk(now, messages),
            Some(Item::FlushDone(id)) => {
                messages.push(Message::FlushDone(*id));
                self.queue.pop_front();
            }
            Some(Item::Done(_)) | None => {
                messages.push(Message::Done);
                self.state = State::Over;
            }
        }
    }

    /// Sends a chunk of the speech at the head, and the words that begin in it.
    fn chunk(&mut self, now: Instant, messages: &mut Vec<Message>) {
        let most = self.samples_in(self.script.chunk).max(1);
        let free_at = self.free_at();
        let Some(Item::Speech(speech)) = self.queue.front_mut() else { return };
        if free_at < speech.ready {
            self.stretch = Stretch { begin: now, samples: 0, ..self.stretch };
        }
        let count = most.min(speech.left());
        let samples = &speech.spoken.samples[speech.taken..speech.taken + count];
        let mut bytes = std::mem::take(&mut self.carry);
        let was_whole = bytes.is_empty();
        bytes.extend(self.first.format.encoding.encode(samples));
        speech.taken += count;
        let (is_last, flush_id) = (speech.left() == 0, speech.flush_id);
        self.stretch.samples += count as u64;
        self.stretch.total += count as u64;
        let sent_until = time_of(self.stretch.total, self.first.format.rate_hz);
        let words = begun(&mut speech.spoken.words, sent_until, is_last);
        if is_last {
            self.queue.pop_front();
        }
        if was_whole && !is_last && self.faults.contains(&Fault::OddChunks) {
            self.carry.extend(bytes.pop());
        }
        self.chunks += 1;
        messages.push(Message::Chunk(bytes, flush_id));
        if self.first.timestamps && !words.is_empty() {
            messages.push(Message::Timestamps(words));
        }
    }

    /// When the head of the queue is due.
    fn queue_due(&self) -> Option<Instant> {
        match self.queue.front()? {
            Item::Speech(speech) => Some(speech.ready.max(self.free_at())),
            Item::FlushDone(_) => Some(self.last_sent()),
            Item::Done(at) => Some(self.last_sent().max(*at)),
        }
    }

    /// When the last chunk was sent: what needs no audio goes out right behind it.
    fn last_sent(&self) -> Instant {
        self.stretch.begin
    }

    /// When the next chunk may follow.
    fn free_at(&self) -> Instant {
        self.stretch.begin + self.pace(self.stretch.samples as usize)
    }

    /// When a context that says nothing more ends by itself; one that never spoke waits as long as
    /// its connection may.
    fn expires_at(&self) -> Instant {
        match self.stretch.total {
            0 => self.opened + self.script.idle_timeout,
            _ => self.free_at() + self.script.context_expiry,
        }
    }

    /// How long sending `samples` takes.
    fn pace(&self, samples: usize) -> Duration {
        let playing = samples as f64 / f64::from(self.first.format.rate_hz);
        Duration::from_nanos((playing * 1e9 / self.script.speed).round() as u64)
    }

    fn samples_in(&self, time: Duration) -> usize {
        (time.as_nanos() * u128::from(self.first.format.rate_hz) / 1_000_000_000) as usize
    }

    /// When the fault `error` strikes by the clock.
    fn error_due(&self) -> Option<Instant> {
        let times = self.errors().filter_map(|(after, _)| match after {
            After { time: Some(time), .. } => Some(self.opened + time),
            After { messages: Some(_), .. } => None,
            After { .. } => Some(self.opened),
        });
        times.min()
    }

    /// The error that strikes at `now`, if one does.
    fn failure(&self, now: Instant) -> Option<Problem> {
        let elapsed = now.saturating_duration_since(self.opened);
        let mut errors = self.errors();
        errors
            .find_map(|(after, problem)| after.is_reached(self.chunks, elapsed).then_some(problem))
    }

    /// The script's errors for this context.
    fn errors(&self) -> impl Iterator<Item = (After, Problem)> {
        self.faults.iter().filter_map(|fault| match fault {
            Fault::Error { context, after, status, code, message }
                if context.is_none_or(|wanted| wanted.get() == self.number) =>
            {
                let scripted = Problem::scripted(*status);
                let code = code.clone().or(scripted.code);
                Some((*after, Problem { code, message: message.clone(), ..scripted }))
            }
            _ => None,
        })
    }
}

impl Speech {
    /// Samples not yet sent.
    fn left(&self) -> usize {
        self.spoken.samples.len() - self.taken
    }
}

/// Takes the words that begin before `until` out of `words`; all of them with the last chunk.
fn begun(words: &mut Vec<Timed>, until: Duration, is_last: bool) -> Vec<Timed> {
    let count = words.iter().take_while(|word| is_last || word.start < until).count();
    words.drain(..count).collect()
}

fn time_of(samples: u64, rate_hz: u32) -> Duration {
    Duration::from_nanos(samples * 1_000_000_000 / u64::from(rate_hz))
}
