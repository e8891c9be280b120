//! What one caller says and hears. Pure: every instant is an argument.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// Samples of a frame: 20 ms at 16 kHz.
pub(crate) const FRAME: usize = 320;

/// The peak from which on a sound is the agent's voice. Its silence decodes to next to nothing.
const LOUD: u16 = 500;

/// After so long without its voice the agent has said all; one that stumbles is silent for less.
const HUSH: Duration = Duration::from_millis(1_200);

/// An answer that does not begin within this time will not.
const PATIENCE: Duration = Duration::from_secs(30);

/// A call that is over.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Tale {
    /// Whether the agent's greeting was heard.
    pub(crate) greeted: bool,
    /// Questions that were asked.
    pub(crate) asked: u32,
    /// For each answer that was heard to its end: from the question's last sound to its first, in
    /// ms.
    pub(crate) responses_ms: Vec<u64>,
    /// What went wrong.
    pub(crate) complaint: Option<String>,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    /// Nothing of the answer was heard yet, or of the greeting.
    Waiting {
        since: Instant,
    },
    /// The agent speaks; when it was last heard.
    Hearing {
        heard: Instant,
    },
    /// Says nothing for a moment.
    Pausing {
        until: Instant,
    },
    /// Has said so many samples of the question.
    Speaking {
        said: usize,
    },
    Over,
}

/// One call as its caller sees it.
#[derive(Debug)]
pub(crate) struct Conversation {
    questions: Arc<[Vec<i16>]>,
    pause: Duration,
    phase: Phase,
    /// Whether no further question is asked.
    leaves: bool,
    tale: Tale,
}

impl Conversation {
    /// Of a caller who has just joined, and who pauses for `pause` before each question.
    pub(crate) fn new(questions: Arc<[Vec<i16>]>, pause: Duration, now: Instant) -> Self {
        let (phase, tale) = (Phase::Waiting { since: now }, Tale::default());
        Self { questions, pause, phase, leaves: false, tale }
    }

    pub(crate) fn is_greeted(&self) -> bool {
        self.tale.greeted
    }

    pub(crate) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }

    pub(crate) fn into_tale(self) -> Tale {
        self.tale
    }

    /// Hears the answer in progress out, and asks no more.
    pub(crate) fn leave(&mut self) {
        self.leaves = true;
    }

    pub(crate) fn is_leaving(&self) -> bool {
        self.leaves
    }

    /// Notes that something went wrong, which ends the call.
    pub(crate) fn complain(&mut self, what: String) {
        self.tale.complaint.get_or_insert(what);
        self.phase = Phase::Over;
    }

    /// Hears `samples` of the agent.
    pub(crate) fn hear(&mut self, samples: &[i16], now: Instant) {
        let peak = samples.iter().map(|sample| sample.unsigned_abs()).max();
        if peak < Some(LOUD) {
            return;
        }
        match self.phase {
            Phase::Waiting { since } => self.begin_hearing(now - since, now),
            Phase::Hearing { .. } => self.phase = Phase::Hearing { heard: now },
            Phase::Pausing { .. } | Phase::Speaking { .. } => {
                self.complain(format!("the agent spoke unasked, while {:?}", self.phase));
            }
            Phase::Over => {}
        }
    }

    fn begin_hearing(&mut self, waited: Duration, now: Instant) {
        if self.tale.greeted {
            let waited_ms = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
            self.tale.responses_ms.push(waited_ms);
        }
        self.tale.greeted = true;
        self.phase = Phase::Hearing { heard: now };
    }

    /// What the caller says in the frame at `now`: nothing where it is silent.
    pub(crate) fn tick(&mut self, now: Instant) -> &[i16] {
        match self.phase {
            Phase::Waiting { since } if now > since + PATIENCE => {
                self.complain(format!("no answer within {} s", PATIENCE.as_secs()));
            }
            Phase::Hearing { heard } if now > heard + HUSH => {
                self.phase = Phase::Pausing { until: now + self.pause };
            }
            Phase::Pausing { .. } if self.leaves => self.phase = Phase::Over,
            Phase::Pausing { until } if now >= until => self.phase = Phase::Speaking { said: 0 },
            _ => {}
        }
        let Phase::Speaking { said } = self.phase else { return &[] };
        self.say(said, now)
    }

    fn say(&mut self, said: usize, now: Instant) -> &[i16] {
        let which = self.tale.asked as usize % self.questions.len();
        let length = self.questions[which].len();
        let until = length.min(said + FRAME);
        self.phase = Phase::Speaking { said: until };
        if until == length {
            self.tale.asked += 1;
            self.phase = Phase::Waiting { since: now };
        }
        &self.questions[which][said..until]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Duration = Duration::from_millis(20);
    const PAUSE: Duration = Duration::from_millis(100);

    /// A caller with one question of 50 ms, and its clock.
    struct Bench {
        conversation: Conversation,
        now: Instant,
    }

    impl Bench {
        fn new() -> Self {
            let (questions, now) = (Arc::from([vec![9_000; 800]]), Instant::now());
            Self { conversation: Conversation::new(questions, PAUSE, now), now }
        }

        /// Lets time pass while the agent says `sample`; what the caller says.
        fn pass(&mut self, length: Duration, sample: i16) -> usize {
            let mut said = 0;
            for _ in 0..length.as_millis() / STEP.as_millis() {
                self.now += STEP;
                self.conversation.hear(&[sample], self.now);
                said += self.conversation.tick(self.now).len();
            }
            said
        }
    }

    #[test]
    fn a_question_follows_each_answer_until_the_caller_leaves() {
        let mut bench = Bench::new();
        assert_eq!(bench.pass(Duration::from_secs(2), 0), 0, "waits for the greeting");
        assert_eq!(bench.pass(Duration::from_secs(1), -9_000), 0, "hears it out");
        assert_eq!(bench.pass(Duration::from_secs(2), 100), 800, "asks the whole question");
        bench.conversation.leave();
        bench.pass(Duration::from_secs(1), 9_000);
        assert!(!bench.conversation.is_over(), "the answer is heard out");
        assert_eq!(bench.pass(Duration::from_secs(2), 0), 0, "asks no more");
        assert!(bench.conversation.is_over());
        let tale = bench.conversation.into_tale();
        assert_eq!((tale.greeted, tale.asked, tale.complaint), (true, 1, None));
        assert!(matches!(tale.responses_ms[..], [ms] if ms < 1_000), "{:?}", tale.responses_ms);
    }

    #[test]
    fn an_agent_who_says_nothing_is_complained_of() {
        let mut bench = Bench::new();
        bench.pass(PATIENCE + STEP, 0);
        let tale = bench.conversation.into_tale();
        assert_eq!(tale.complaint.as_deref(), Some("no answer within 30 s"));
    }

    #[test]
    fn an_agent_who_speaks_into_a_question_is_complained_of() {
        let mut bench = Bench::new();
        bench.pass(STEP, 9_000);
        bench.pass(HUSH + STEP * 2 + PAUSE, 0);
        bench.pass(STEP, 9_000);
        let complaint = bench.conversation.into_tale().complaint.unwrap();
        assert!(complaint.starts_with("the agent spoke unasked"), "{complaint}");
    }
}
