//! When a turn ends and when the agent is interrupted. Pure: every instant is an argument.

use tokio::time::Instant;
use voicegraph_engine::message::{Speech, Transcript, UserInput};
use voicegraph_engine::turn::{Anchor, Beginning};

use super::barge_in::{Doubt, Judgement};
use super::config::Settings;
use super::end_of_turn::{End, Evidence};
use super::keypad::{Keypad, Number};
use super::voice::Voice;
use super::words::{Typed, Words};

/// What the agent is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Agent {
    /// No turn is live.
    Idle,
    /// A turn is live, and nothing of it was heard; it may be held.
    Thinking,
    /// A turn is live and was heard; it may be held.
    Speaking,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Silence the agent until it is known whether the caller interrupts.
    Hold,
    /// Let the agent go on.
    Resume,
    /// Give the answer up: the caller has spoken since `onset`.
    Interrupt {
        /// The beginning of the caller's speech.
        onset: Instant,
    },
    /// Begin a turn.
    Begin(Beginning),
}

/// All that is known of the dialogue.
#[derive(Debug)]
pub(super) struct Dialogue {
    settings: Settings,
    voice: Voice,
    words: Words,
    keypad: Keypad,
    doubt: Option<Doubt>,
    held: bool,
    /// When the last turn began.
    began: Option<Instant>,
    /// When the last obstacle to a new turn fell: the agent finished, or the inputs closed.
    freed: Option<Instant>,
    closed: bool,
}

impl Dialogue {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            voice: Voice::default(),
            words: Words::default(),
            keypad: Keypad::new(settings.dtmf_timeout),
            doubt: None,
            held: false,
            began: None,
            freed: None,
            closed: false,
        }
    }

    /// The call begins.
    pub(super) fn start(&mut self, now: Instant) -> Vec<Action> {
        if !self.settings.agent_speaks_first {
            return Vec::new();
        }
        self.began = Some(now);
        vec![Action::Begin(Beginning {
            text: String::new(),
            origin: now,
            anchor: Anchor::CallStart,
            transcript: None,
            settled: now,
        })]
    }

    /// The caller begins or ceases to speak.
    pub(super) fn on_speech(&mut self, speech: Speech, now: Instant, agent: Agent) -> Vec<Action> {
        self.voice = self.voice.after(speech, now);
        let mut actions = Vec::new();
        match speech {
            Speech::Started { at } => self.doubt(at, agent, &mut actions),
            Speech::Ended { at, .. } => {
                if let Some(doubt) = &mut self.doubt {
                    doubt.end(at, now);
                }
            }
        }
        self.react(now, agent, &mut actions);
        actions
    }

    /// The recogniser heard words, or the end of an utterance.
    pub(super) fn on_transcript(
        &mut self,
        transcript: &Transcript,
        now: Instant,
        agent: Agent,
    ) -> Vec<Action> {
        self.words.hear(transcript);
        self.on_time(now, agent)
    }

    /// The caller typed or pressed something at `at`, which is not after `now`.
    pub(super) fn on_input(
        &mut self,
        input: &UserInput,
        at: Instant,
        now: Instant,
        agent: Agent,
    ) -> Vec<Action> {
        match input {
            UserInput::Interrupt => return self.on_interrupt(at, agent),
            UserInput::Digit(key) => {
                let number = self.keypad.press(*key, at);
                self.write(number, at);
            }
            UserInput::Text(text) => {
                let number = self.keypad.take();
                self.write(number, at);
                self.words.write(text, Typed { at, whole: at });
            }
        }
        self.on_time(now, agent)
    }

    /// The caller wants the agent to be silent. That is no turn of the caller's.
    fn on_interrupt(&mut self, at: Instant, agent: Agent) -> Vec<Action> {
        if agent == Agent::Idle || self.settings.interruption.is_none() {
            return Vec::new();
        }
        self.doubt = None;
        self.held = false;
        vec![Action::Interrupt { onset: at }]
    }

    /// Takes a number of which it was known at `whole` that it is complete.
    fn write(&mut self, number: Option<Number>, whole: Instant) {
        if let Some(Number { text, at }) = number {
            self.words.write(&text, Typed { at, whole });
        }
    }

    /// Time has passed.
    pub(super) fn on_time(&mut self, now: Instant, agent: Agent) -> Vec<Action> {
        let mut actions = Vec::new();
        self.react(now, agent, &mut actions);
        actions
    }

    /// The agent has finished, or is silent after an interruption.
    pub(super) fn on_turn_ended(&mut self, now: Instant, agent: Agent) -> Vec<Action> {
        self.freed = Some(now);
        self.on_time(now, agent)
    }

    /// No more speech and no more words will come. What was said is a turn as it is.
    pub(super) fn on_close(&mut self, now: Instant, agent: Agent) -> Vec<Action> {
        self.closed = true;
        self.freed = Some(now);
        let number = self.keypad.take();
        self.write(number, now);
        let mut actions = self.on_time(now, agent);
        if self.doubt.is_some() {
            self.dismiss(&mut actions);
        }
        actions
    }

    /// Whether nothing is left to be done after the close.
    pub(super) fn is_done(&self) -> bool {
        self.closed && self.words.is_empty()
    }

    /// When time alone brings something to be done.
    pub(super) fn due(&self, agent: Agent) -> Option<Instant> {
        let doubt = self.doubt.as_ref().map(|doubt| doubt.due(self.words.unjudged()));
        let end = self.end().filter(|_| self.may_begin(agent)).map(|end| end.due);
        [doubt, end, self.keypad.due()].into_iter().flatten().min()
    }

    /// Speech began at `onset`: doubts whether it interrupts, and silences the agent meanwhile, or
    /// keeps it from beginning to speak over the caller.
    fn doubt(&mut self, onset: Instant, agent: Agent, actions: &mut Vec<Action>) {
        let Some(rules) = self.settings.interruption else { return };
        if agent == Agent::Idle {
            return;
        }
        self.doubt = Some(Doubt::new(rules, onset));
        if !self.held {
            self.held = true;
            actions.push(Action::Hold);
        }
    }

    /// Interrupts where the caller does, then ends the caller's turn where it is over.
    fn react(&mut self, now: Instant, mut agent: Agent, actions: &mut Vec<Action>) {
        if let Some(due) = self.keypad.due().filter(|due| *due <= now) {
            let number = self.keypad.take();
            self.write(number, due);
        }
        if agent == Agent::Idle {
            self.doubt = None;
            self.held = false;
        }
        if self.interrupts(now, agent, actions) {
            agent = Agent::Idle;
        }
        let Some(end) = self.end().filter(|end| end.due <= now) else { return };
        if self.may_begin(agent) {
            if agent == Agent::Speaking {
                self.interrupt(now, actions);
            }
            actions.push(Action::Begin(self.begin(end, now)));
        }
    }

    /// Judges the doubt, or, where there is none, words that the voice activity detector missed.
    /// What was typed leaves no doubt: it begins a turn.
    fn interrupts(&mut self, now: Instant, agent: Agent, actions: &mut Vec<Action>) -> bool {
        let Some(rules) = self.settings.interruption else { return false };
        if agent == Agent::Idle || self.words.typed().is_some() {
            return false;
        }
        let words = self.words.unjudged();
        let judgement = match &self.doubt {
            Some(doubt) => doubt.judge(words, now),
            None if words >= rules.telling_words() => Judgement::Interruption,
            None => Judgement::Open,
        };
        match judgement {
            Judgement::Open => {}
            Judgement::Interruption => self.interrupt(now, actions),
            Judgement::FalseAlarm => self.dismiss(actions),
        }
        judgement == Judgement::Interruption
    }

    fn interrupt(&mut self, now: Instant, actions: &mut Vec<Action>) {
        let onset = self.onset(now);
        self.doubt = None;
        self.held = false;
        actions.push(Action::Interrupt { onset });
    }

    fn dismiss(&mut self, actions: &mut Vec<Action>) {
        self.doubt = None;
        self.words.judge();
        if std::mem::take(&mut self.held) {
            actions.push(Action::Resume);
        }
    }

    /// When the message was whole or the interrupting speech began. Where only words tell of it,
    /// the end of the last word is all that is known.
    fn onset(&self, now: Instant) -> Instant {
        if let Some(typed) = self.words.typed() {
            return typed.whole;
        }
        if let Some(doubt) = &self.doubt {
            return doubt.onset();
        }
        match self.voice {
            Voice::Speaking { onset, .. } if Some(onset) > self.began => onset,
            _ => self.words.end().max(self.began).unwrap_or(now),
        }
    }

    /// Whether a turn may begin while the agent does that. A finished utterance supersedes an
    /// answer of which nothing was heard; one that is heard gives way to as many words as
    /// interrupt, and to whatever was typed.
    fn may_begin(&self, agent: Agent) -> bool {
        match (agent, self.settings.interruption) {
            (Agent::Idle, _) => true,
            (_, None) => false,
            (Agent::Thinking, Some(_)) => true,
            (Agent::Speaking, Some(_)) if self.words.typed().is_some() => true,
            (Agent::Speaking, Some(rules)) => self.words.unjudged() >= rules.telling_words(),
        }
    }

    fn begin(&mut self, end: End, now: Instant) -> Beginning {
        let decided = match self.voice {
            Voice::Silent { decided, .. } => Some(decided),
            Voice::Unheard | Voice::Speaking { .. } => None,
        };
        let waited_for =
            [self.words.received(), self.words.settled_at(), decided, self.freed, Some(end.due)];
        let settled = waited_for.into_iter().flatten().max().unwrap_or(now).min(now);
        let transcript = self.words.received().filter(|_| end.anchor != Anchor::Input);
        self.doubt = None;
        self.held = false;
        self.began = Some(now);
        let text = self.words.take();
        Beginning { text, origin: end.origin, anchor: end.anchor, transcript, settled }
    }

    fn end(&self) -> Option<End> {
        if let Some(Typed { at, whole }) = self.words.typed() {
            return Some(End { origin: at, anchor: Anchor::Input, due: whole });
        }
        let heard = Evidence { settings: self.settings, voice: self.voice, words: &self.words };
        if self.closed { heard.end_at_once() } else { heard.end() }
    }
}
