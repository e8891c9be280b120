//! What the node does, as a pure machine: what was heard, what to send, when to act next.
//!
//! In: audio, the end of speech, the provider's messages, the connection's beginning and end, time.
//! Out: [`Action`]s, and one thing to send whenever the connection has room
//! ([`Recognition::next`]). It reads no clock and no socket.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use voicegraph_engine::message::{AudioFrame, Transcript};

use super::clock::Clock;
use super::config::Settings;
use super::progress::Progress;
use super::tape::Tape;
use super::utterance::{Heard, Utterance};
use super::wire::{Incoming, Outgoing, Results};
use crate::provider::Failure;

/// The sound that opens a stream on which nothing was said yet. The provider closes a stream that
/// never had audio after 10 s, whatever keep-alives come (reference, section 1.3).
const FIRST_SOUND: Duration = Duration::from_millis(20);

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Tell what was heard.
    Emit(Transcript),
    /// Tell of a fault that nothing is done about.
    Report(String),
    /// Give the connection up, for a new one where that can help.
    GiveUp(Failure),
    /// All was heard that will be.
    Finish,
}

/// The recognition of one call.
#[derive(Debug)]
pub(super) struct Recognition {
    settings: Arc<Settings>,
    tape: Tape,
    clock: Clock,
    utterance: Utterance,
    progress: Progress,
    connected: bool,
    /// How much audio was sent on the present stream.
    position: Duration,
    last_sent: Instant,
    keep_alive: bool,
    finalize: Ask,
    /// When the last interim is taken for the final.
    finalize_due: Option<Instant>,
    close: Ask,
    /// When the call's last words are given up.
    close_due: Option<Instant>,
}

/// Something to be asked of the provider once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    Not,
    Wanted,
    Asked,
}

impl Ask {
    /// The connection is gone, and the question with it.
    fn again(&mut self) {
        if *self == Self::Asked {
            *self = Self::Wanted;
        }
    }
}

impl Recognition {
    pub(super) fn new(settings: Arc<Settings>, now: Instant) -> Self {
        Self {
            tape: Tape::new(settings.audio_buffer, settings.max_silence),
            settings,
            clock: Clock::default(),
            utterance: Utterance::default(),
            progress: Progress::default(),
            connected: false,
            position: Duration::ZERO,
            last_sent: now,
            keep_alive: false,
            finalize: Ask::Not,
            finalize_due: None,
            close: Ask::Not,
            close_due: None,
        }
    }

    /// The caller's audio, its last sample captured at `captured`.
    pub(super) fn audio(&mut self, frame: AudioFrame, captured: Instant) {
        if !frame.samples().is_empty() {
            self.tape.push(frame, captured);
        }
    }

    /// The voice detector heard the end of speech.
    pub(super) fn speech_ended(&mut self, now: Instant) {
        if self.settings.finalize_on_speech_end && self.close == Ask::Not {
            self.finalize = Ask::Wanted;
            self.finalize_due = Some(now + self.settings.finalize_timeout);
        }
    }

    /// The caller's audio is over.
    pub(super) fn audio_ended(&mut self, now: Instant) -> Vec<Action> {
        self.close = Ask::Wanted;
        self.close_due = Some(now + self.settings.close_timeout);
        if self.is_over() { self.finish(now) } else { Vec::new() }
    }

    /// Whether the audio is over, and another connection would have nothing to hear.
    pub(super) fn is_over(&self) -> bool {
        self.close != Ask::Not && !self.connected && self.tape.is_empty()
    }

    /// A connection is open, and its stream begins. What is not settled is sent on it (again).
    pub(super) fn connected(&mut self, now: Instant) -> Vec<Action> {
        self.tape.settle(self.utterance.settled());
        let origin = self.tape.start().unwrap_or(self.position);
        let rescued = self.utterance.promote(origin);
        let mut actions = self.emit(rescued, now);
        let lost = self.tape.take_lost(self.utterance.settled());
        if !lost.is_zero() {
            let lost = lost.as_millis();
            let what = format!("{lost} ms of the caller's speech were lost without a connection");
            actions.push(Action::Report(what));
        }
        self.utterance.rebase(|position| self.tape.rewound(position, self.position));
        self.tape.rewind();
        self.clock.clear();
        self.progress.answered();
        self.position = Duration::ZERO;
        self.last_sent = now;
        self.keep_alive = false;
        self.connected = true;
        actions
    }

    /// The connection is gone, or given up.
    pub(super) fn disconnected(&mut self) {
        self.connected = false;
        self.progress.answered();
        self.finalize.again();
        self.close.again();
    }

    /// The next thing to send. The caller must send it.
    pub(super) fn next(&mut self, now: Instant) -> Option<Outgoing> {
        let outgoing = self.next_audio(now).or_else(|| self.next_request())?;
        self.last_sent = now;
        self.keep_alive = false;
        Some(outgoing)
    }

    fn next_audio(&mut self, now: Instant) -> Option<Outgoing> {
        let (frame, began) = self.tape.next(self.position)?;
        self.clock.note(self.position, began);
        self.position += frame.length();
        self.progress.sent(&frame, now);
        Some(Outgoing::Audio(frame))
    }

    fn next_request(&mut self) -> Option<Outgoing> {
        if self.finalize == Ask::Wanted && !self.position.is_zero() {
            self.finalize = Ask::Asked;
            return Some(Outgoing::Finalize);
        }
        if self.close == Ask::Wanted {
            self.close = Ask::Asked;
            return Some(Outgoing::CloseStream);
        }
        if !std::mem::take(&mut self.keep_alive) {
            return None;
        }
        Some(if self.position.is_zero() { self.first_sound() } else { Outgoing::KeepAlive })
    }

    fn first_sound(&mut self) -> Outgoing {
        self.position = FIRST_SOUND;
        self.utterance.skip(FIRST_SOUND);
        Outgoing::Audio(AudioFrame::silence(FIRST_SOUND, AudioFrame::CALLER_RATE_HZ))
    }

    /// A message of the provider, read at `now`.
    pub(super) fn message(&mut self, message: Incoming, now: Instant) -> Vec<Action> {
        match message {
            Incoming::Results(results) => {
                self.progress.answered();
                self.results(results, now)
            }
            Incoming::UtteranceEnd { last_word_end } => {
                self.progress.answered();
                let heard = self.utterance.word_gap(last_word_end);
                self.emit(heard, now)
            }
            Incoming::Metadata if self.close == Ask::Asked => self.finish(now),
            Incoming::Error { what } => {
                vec![Action::Report(format!("the provider could not read a message: {what}"))]
            }
            Incoming::Metadata | Incoming::Other => Vec::new(),
        }
    }

    fn results(&mut self, mut results: Results, now: Instant) -> Vec<Action> {
        // What was not sent cannot be settled, whatever the provider says.
        results.end = results.end.min(self.position);
        let answers = results.from_finalize || results.speech_final;
        if answers && self.finalize == Ask::Asked {
            self.finalize = Ask::Not;
            self.finalize_due = None;
        }
        let heard = self.utterance.results(results);
        self.emit(heard, now)
    }

    /// The provider closed the connection in due form.
    pub(super) fn closed(&mut self, code: u16, reason: &str, now: Instant) -> Vec<Action> {
        if self.close == Ask::Asked && matches!(code, NORMAL | NO_STATUS) {
            return self.finish(now);
        }
        let what = format!("connection closed with {code} {reason}");
        let what = what.trim_end();
        vec![Action::GiveUp(match code {
            // The audio cannot be decoded, and would not be on another connection either.
            POLICY => Failure::fatal(what),
            _ => Failure::retry(what),
        })]
    }

    /// When [`tick`](Self::tick) is to be called next.
    pub(super) fn due(&self) -> Option<Instant> {
        let dues = [self.finalize_due, self.close_due, self.stall_due(), self.keep_alive_due()];
        dues.into_iter().flatten().min()
    }

    /// Does what is due at `now`.
    pub(super) fn tick(&mut self, now: Instant) -> Vec<Action> {
        let is_due = |due: Option<Instant>| due.is_some_and(|due| due <= now);
        if is_due(self.close_due) {
            return self.finish(now);
        }
        self.keep_alive |= is_due(self.keep_alive_due());
        let mut actions = Vec::new();
        if is_due(self.finalize_due) {
            actions.extend(self.finalize_failed(now));
        }
        if is_due(self.stall_due()) {
            let limit = self.settings.progress_timeout.as_millis();
            let what = format!("speech was sent and nothing came back within {limit} ms");
            actions.push(Action::GiveUp(Failure::retry(what)));
        }
        actions
    }

    fn stall_due(&self) -> Option<Instant> {
        Some(self.progress.waiting_since()? + self.settings.progress_timeout)
    }

    fn keep_alive_due(&self) -> Option<Instant> {
        let idle = self.connected && !self.keep_alive && self.close != Ask::Asked;
        idle.then(|| self.last_sent + self.settings.keep_alive)
    }

    /// A reply to `Finalize` is not guaranteed, so its absence is no fault of the connection.
    fn finalize_failed(&mut self, now: Instant) -> Vec<Action> {
        self.finalize_due = None;
        if self.finalize == Ask::Asked {
            self.finalize = Ask::Not;
        }
        let heard = self.utterance.promote(Duration::MAX);
        self.emit(heard, now)
    }

    fn finish(&mut self, now: Instant) -> Vec<Action> {
        let heard = self.utterance.promote(Duration::MAX);
        let mut actions = self.emit(heard, now);
        actions.push(Action::Finish);
        actions
    }

    fn emit(&mut self, heard: Option<Heard>, now: Instant) -> Vec<Action> {
        self.tape.settle(self.utterance.settled());
        let transcript = heard.map(|heard| Transcript {
            audio_end: heard.last_word_end.and_then(|position| self.clock.captured(position)),
            text: heard.text,
            is_final: heard.is_final,
            endpoint: heard.endpoint,
            received: now,
        });
        transcript.map(Action::Emit).into_iter().collect()
    }
}

/// Close codes of RFC 6455, section 7.4.1.
const NORMAL: u16 = 1000;
const NO_STATUS: u16 = 1005;
const POLICY: u16 = 1008;

#[cfg(test)]
mod tests;
