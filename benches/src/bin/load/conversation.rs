//! What one caller says and hears. Pure: every instant is an argument.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use crate::caller::{Question, silence};
use crate::playout::Playout;

/// A question that is not answered to the end within this time is not answered.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sound from the server: s16le at 24 kHz.
const BYTES_PER_SECOND: u32 = 48_000;

/// A call that is over.
#[derive(Debug, Default)]
pub(crate) struct Tale {
    /// The server's id of the call.
    pub(crate) session: Option<String>,
    /// Questions that were asked.
    pub(crate) asked: u32,
    /// Answers that were heard to their end.
    pub(crate) answers: Vec<Answer>,
    /// What went wrong.
    pub(crate) complaints: Vec<String>,
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) turn: u32,
    /// When its first sound came.
    pub(crate) first_sound: Instant,
    /// What the server says that it added.
    pub(crate) engine_added: Duration,
    /// What the server takes for the time from the end of speech to the first sound.
    pub(crate) e2e: Duration,
}

/// The text messages that matter here.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Told {
    Clear {
        id: u64,
    },
    TurnBegan {
        turn: u32,
        text: String,
    },
    Turn {
        turn: u32,
        report: Report,
    },
    Error {
        message: String,
    },
    End {
        reason: String,
        session: String,
    },
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
struct Report {
    outcome: String,
    e2e_us: Option<u64>,
    engine_added_us: Option<u64>,
}

/// What the caller is doing.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// Waits for an answer, or for the greeting.
    Waiting {
        since: Instant,
        turn: Option<u32>,
        first_sound: Option<Instant>,
    },
    /// Hears the answer out, then is silent for a moment.
    Hearing,
    Pausing {
        until: Instant,
    },
    Speaking {
        frame: usize,
    },
    Over,
}

/// One call as its caller sees it.
pub(crate) struct Conversation {
    questions: Arc<[Question]>,
    pause: Duration,
    until: Instant,
    phase: Phase,
    playout: Playout,
    tale: Tale,
}

impl Conversation {
    pub(crate) fn new(questions: Arc<[Question]>, pause: Duration, until: Instant) -> Self {
        let phase = Phase::Waiting { since: Instant::now(), turn: None, first_sound: None };
        let (playout, tale) = (Playout::default(), Tale::default());
        Self { questions, pause, until, phase, playout, tale }
    }

    pub(crate) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }

    pub(crate) fn into_tale(self) -> Tale {
        self.tale
    }

    /// Notes that something went wrong, which ends the call.
    pub(crate) fn complain(&mut self, what: String) {
        self.tale.complaints.push(what);
        self.phase = Phase::Over;
    }

    /// The report of the playing.
    pub(crate) fn playout(&self, now: Instant) -> String {
        let (played, clear) = self.playout.played(now);
        let played_ms = played.as_secs_f64() * 1_000.0;
        json!({ "type": "playout", "played_ms": played_ms, "clear": clear }).to_string()
    }

    /// The frame that is sent at `now`.
    pub(crate) fn tick(&mut self, now: Instant) -> Vec<u8> {
        match self.phase {
            Phase::Waiting { since, .. } if now > since + PATIENCE => {
                self.complain(format!("no answer within {} s", PATIENCE.as_secs()));
            }
            Phase::Hearing if self.playout.is_idle(now) => {
                self.phase = Phase::Pausing { until: now + self.pause };
            }
            Phase::Pausing { until } if now >= until => self.ask_or_leave(now),
            _ => {}
        }
        let Phase::Speaking { frame } = self.phase else { return silence() };
        let frames = &self.question().frames;
        let (sound, is_last) = (frames[frame].clone(), frame + 1 == frames.len());
        self.phase = Phase::Speaking { frame: frame + 1 };
        if is_last {
            self.phase = Phase::Waiting { since: now, turn: None, first_sound: None };
            self.tale.asked += 1;
        }
        sound
    }

    fn ask_or_leave(&mut self, now: Instant) {
        let goes_on = now < self.until;
        self.phase = if goes_on { Phase::Speaking { frame: 0 } } else { Phase::Over };
    }

    /// The question in progress, or the next.
    fn question(&self) -> &Question {
        &self.questions[self.tale.asked as usize % self.questions.len()]
    }

    /// What the answer that is waited for answers to: nothing for the greeting.
    fn expected(&self) -> &str {
        match self.tale.asked {
            0 => "",
            asked => &self.questions[(asked as usize - 1) % self.questions.len()].text,
        }
    }

    /// Takes a message of the server that came at `now`.
    pub(crate) fn hear(&mut self, message: &Message, now: Instant) {
        match message {
            Message::Binary(bytes) => {
                let bytes = u32::try_from(bytes.len()).expect("a message is short");
                self.playout.receive(Duration::from_secs(1) * bytes / BYTES_PER_SECOND, now);
                if let Phase::Waiting { first_sound, .. } = &mut self.phase {
                    first_sound.get_or_insert(now);
                }
            }
            Message::Text(text) => match serde_json::from_str(text) {
                Ok(told) => self.hear_told(told),
                Err(error) => self.complain(format!("an event cannot be read: {error}")),
            },
            _ => {}
        }
    }

    fn hear_told(&mut self, told: Told) {
        match told {
            Told::Clear { id } => self.playout.clear(id),
            Told::TurnBegan { turn, text } => self.begin(turn, &text),
            Told::Turn { turn, report } => self.end(turn, &report),
            Told::Error { message } => self.complain(message),
            Told::End { reason, session } => {
                self.tale.session = Some(session);
                if reason != "hung_up" {
                    self.complain(format!("the call ended: {reason}"));
                }
            }
            Told::Other => {}
        }
    }

    /// A turn began on `text`, which must be what was asked.
    fn begin(&mut self, begun: u32, text: &str) {
        let as_asked = text == self.expected();
        match &mut self.phase {
            Phase::Waiting { turn, .. } if as_asked => *turn = Some(begun),
            phase => {
                let what = format!("turn {begun} began out of turn, while {phase:?}");
                self.complain(what);
            }
        }
    }

    /// Turn `ended` is over, which must be the one that was waited for.
    fn end(&mut self, ended: u32, report: &Report) {
        let Phase::Waiting { turn: Some(turn), first_sound: Some(first_sound), .. } = self.phase
        else {
            return self.complain(format!("turn {ended} was {} unasked", report.outcome));
        };
        if turn != ended || report.outcome != "completed" {
            return self.complain(format!("turn {ended} was {}", report.outcome));
        }
        let (Some(added), Some(e2e)) = (report.engine_added_us, report.e2e_us) else {
            return self.complain(format!("turn {ended} has no times"));
        };
        let (engine_added, e2e) = (Duration::from_micros(added), Duration::from_micros(e2e));
        if self.tale.asked > 0 {
            self.tale.answers.push(Answer { turn, first_sound, engine_added, e2e });
        }
        self.phase = Phase::Hearing;
    }
}
