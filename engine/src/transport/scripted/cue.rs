//! When the next line is due. Pure: it takes what was heard and gives an instant.

use std::time::Duration;

use tokio::time::Instant;

use super::When;
use super::ear::Agent;
use crate::turn::TurnId;

/// What the next cue is counted from: the line before, or the start of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Before {
    /// When the line was over.
    pub(super) over: Instant,
    /// The last turn that had begun before the line.
    pub(super) turn: Option<TurnId>,
}

impl When {
    /// When the line is due, as far as that is known.
    pub(super) fn due(self, start: Instant, before: Before, agent: &Agent) -> Option<Instant> {
        match self {
            Self::At(time) => Some((start + time).max(before.over)),
            Self::AfterAgent(pause) => {
                answered(before, agent).map(|at| (at + pause).max(before.over))
            }
            Self::DuringAgent(lead) => during(lead, before, agent),
        }
    }
}

/// When the agent had spoken its answer to the line before.
///
/// That is a turn that began after the line, or an older one that went on after it, because the
/// line was no interruption. While a further turn is in progress there is no answer yet.
pub(super) fn answered(before: Before, agent: &Agent) -> Option<Instant> {
    let (turn, at) = agent.completed.filter(|_| agent.live.is_none())?;
    (Some(turn) > before.turn || at >= before.over).then_some(at)
}

/// A voice whose cue has passed before the line before was over is the one that this line
/// interrupted.
fn during(lead: Duration, before: Before, agent: &Agent) -> Option<Instant> {
    agent.voice.map(|voice| voice + lead).filter(|due| *due >= before.over)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// What the agent did, at times in ms after the start.
    #[derive(Clone, Copy)]
    struct Did {
        live: Option<u32>,
        voice: Option<u64>,
        completed: Option<(u32, u64)>,
    }

    /// Expects the due time in ms, after a line that was over at `over` and began after turn
    /// `turn`.
    fn check(when: When, over: u64, turn: Option<u32>, did: Did, expected: Option<u64>) {
        let start = Instant::now();
        let at = |time| start + ms(time);
        let live = did.live.map(TurnId);
        let completed = did.completed.map(|(turn, time)| (TurnId(turn), at(time)));
        let agent = Agent { live, last: live, voice: did.voice.map(at), completed };
        let before = Before { over: at(over), turn: turn.map(TurnId) };
        let due = when.due(start, before, &agent).map(|due| due - start);
        assert_eq!(due, expected.map(ms), "{when:?}");
    }

    const NOTHING: Did = Did { live: None, voice: None, completed: None };

    #[test]
    fn a_fixed_time_waits_for_the_line_before() {
        check(When::At(ms(500)), 0, None, NOTHING, Some(500));
        check(When::At(ms(500)), 800, None, NOTHING, Some(800));
    }

    #[test]
    fn an_answer_is_a_turn_that_began_after_the_line() {
        let spoken = Did { completed: Some((1, 3_000)), ..NOTHING };
        check(When::AfterAgent(ms(200)), 1_000, None, NOTHING, None);
        check(When::AfterAgent(ms(200)), 1_000, None, spoken, Some(3_200));
        check(When::AfterAgent(ms(200)), 4_000, Some(1), spoken, None);
    }

    #[test]
    fn an_answer_that_went_on_after_a_cough_counts() {
        let spoken = Did { completed: Some((1, 3_000)), ..NOTHING };
        check(When::AfterAgent(ms(200)), 2_500, Some(1), spoken, Some(3_200));
    }

    #[test]
    fn a_further_turn_puts_the_cue_off() {
        let again = Did { live: Some(2), completed: Some((1, 3_000)), voice: None };
        check(When::AfterAgent(ms(200)), 1_000, None, again, None);
    }

    #[test]
    fn an_interruption_counts_from_the_voice() {
        let speaking = Did { live: Some(1), voice: Some(2_000), ..NOTHING };
        check(When::DuringAgent(ms(300)), 1_000, None, speaking, Some(2_300));
        check(When::DuringAgent(ms(300)), 1_000, None, NOTHING, None);
    }

    #[test]
    fn the_voice_that_the_line_before_cut_off_is_no_cue() {
        let speaking = Did { live: Some(1), voice: Some(2_000), ..NOTHING };
        check(When::DuringAgent(ms(300)), 2_900, Some(1), speaking, None);
    }
}
