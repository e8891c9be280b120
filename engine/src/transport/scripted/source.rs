//! The scripted caller's voice.

use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::time::Instant;

use super::cue::{Before, answered};
use super::ear::Ear;
use super::noise::Noise;
use super::{Ending, Line, Script, What, When};
use crate::message::{AudioFrame, UserInput};
use crate::transport::microphone::{Microphone, frames};
use crate::transport::playback::LastPlayed;
use crate::transport::{Captured, Recording, Source};

/// Gives the lines at their cues and silence between them.
pub(super) struct ScriptedSource {
    script: Script,
    lines: VecDeque<Line>,
    /// What is left of the line in progress.
    line: std::vec::IntoIter<AudioFrame>,
    /// What is left of what is typed or pressed, and when.
    inputs: VecDeque<(UserInput, Instant)>,
    before: Option<Before>,
    microphone: Microphone,
    noise: Noise,
    ear: Arc<Ear>,
    last_played: Arc<LastPlayed>,
}

/// What the caller does next.
enum Next {
    Speak,
    Wait,
    Finish,
    HangUp,
}

impl ScriptedSource {
    pub(super) fn new(
        mut script: Script,
        recording: Option<Recording>,
        ear: Arc<Ear>,
        last_played: Arc<LastPlayed>,
    ) -> Self {
        Self {
            lines: std::mem::take(&mut script.lines).into(),
            line: frames(&[]),
            inputs: VecDeque::new(),
            before: None,
            microphone: Microphone::new(recording),
            noise: Noise::new(script.noise),
            script,
            ear,
            last_played,
        }
    }

    /// What to do with the frame that began at `begin`, no line being in progress.
    fn next_at(&self, begin: Instant, start: Instant) -> Next {
        let before = self.before.unwrap_or(Before { over: start, turn: None });
        let agent = self.ear.agent();
        let next = self.lines.front();
        let due = match (next, self.script.ending) {
            (Some(line), _) => line.when.due(start, before, &agent),
            (None, Ending::Finish) => Some(before.over),
            (None, Ending::HangUp(when)) => when.due(start, before, &agent),
            (None, Ending::Listen) if self.before.is_none() => Some(start + self.script.grace),
            (None, Ending::Listen) => answered(before, &agent).map(|at| at + self.script.grace),
        };
        let heard = self.last_played.get().unwrap_or(start).max(before.over);
        match (due, next) {
            (Some(due), Some(_)) if begin >= due => Next::Speak,
            (Some(due), None) if begin >= due => match self.script.ending {
                Ending::Listen | Ending::Finish => Next::Finish,
                Ending::HangUp(_) => Next::HangUp,
            },
            (_, Some(Line { when: When::At(_), .. })) => Next::Wait,
            _ if begin >= heard + self.script.patience => Next::HangUp,
            _ => Next::Wait,
        }
    }

    /// Begins the next line at `begin`. What is typed or pressed comes with the end of the frame.
    fn speak(&mut self, begin: Instant) {
        let Some(line) = self.lines.pop_front() else { return };
        match line.what {
            What::Voice(samples) => self.line = frames(&samples),
            What::Input(inputs) => {
                let at = begin + AudioFrame::LENGTH;
                self.inputs.extend(inputs.into_iter().map(|input| (input, at)));
            }
        }
        let frames = u32::try_from(self.line.len()).expect("a line is shorter than years");
        let over = begin + AudioFrame::LENGTH * frames;
        self.before = Some(Before { over, turn: self.ear.agent().last });
    }
}

#[async_trait]
impl Source for ScriptedSource {
    async fn next(&mut self) -> Captured {
        if let Some((input, at)) = self.inputs.pop_front() {
            return Captured::Input(input, at);
        }
        let start = self.microphone.start();
        let end = self.microphone.capture().await;
        let begin = end - AudioFrame::LENGTH;
        if self.line.len() == 0 {
            match self.next_at(begin, start) {
                Next::Speak => self.speak(begin),
                Next::Wait => {}
                Next::Finish => return Captured::Finished,
                Next::HangUp => return Captured::HungUp,
            }
        }
        let frame = self.noise.under(self.line.next());
        self.microphone.give(frame, end)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::event::{AgentState, Event};
    use crate::transport::{Transport, scripted};
    use crate::turn::{Anchor, Outcome, TurnId, TurnReport};

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// A line of `length` ms at level `level`.
    fn line(when: When, level: i16, length: usize) -> Line {
        Line { when, what: What::Voice(vec![level; length * 16].into()) }
    }

    fn ended(turn: u32, outcome: Outcome) -> Event {
        let turn = TurnId(turn);
        let report = TurnReport {
            turn,
            anchor: Anchor::Vad,
            outcome,
            end_of_turn_delay: None,
            transcription_delay: None,
            llm_ttft: None,
            tts_ttfb: None,
            e2e: None,
            engine_added: None,
            played: ms(0),
            barge_in_stop: None,
            flush: None,
        };
        Event::TurnEnded { heard: String::new(), report }
    }

    fn began(turn: u32) -> Event {
        Event::TurnBegan { turn: TurnId(turn), text: String::new() }
    }

    const VOICE: Event = Event::AgentState(AgentState::Speaking);

    /// Plays the script against an agent that does `events` at their times, and gives the changes
    /// of what the caller sends: the level from which time on, in ms; -1 is the end and -2 hanging
    /// up.
    async fn check(script: Script, events: Vec<(u64, Event)>, expected: &[(u64, i16)]) {
        let Transport { mut source, observer, .. } = scripted::call(script, None);
        let observer = observer.expect("the caller listens");
        let start = Instant::now();
        let agent = async {
            for (at, event) in events {
                tokio::time::sleep_until(start + ms(at)).await;
                observer.on(Instant::now(), &event);
            }
        };
        let caller = async {
            let mut said: Vec<(u64, i16)> = Vec::new();
            loop {
                let now = (start.elapsed().as_millis()) as u64;
                let level = match source.next().await {
                    Captured::Frame(frame, _) => frame.samples()[0],
                    Captured::Input(..) => continue,
                    Captured::Finished => break said.push((now, -1)),
                    Captured::HungUp => break said.push((now, -2)),
                };
                if said.last().is_none_or(|(_, last)| *last != level) {
                    said.push((now, level));
                }
            }
            said
        };
        let (_, said) = tokio::join!(agent, caller);
        assert_eq!(said, expected);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_of_two_questions() {
        let script = Script::new(vec![
            line(When::At(ms(100)), 1, 400),
            line(When::AfterAgent(ms(300)), 2, 200),
        ]);
        let events = vec![
            (800, began(1)),
            (1_000, VOICE),
            (2_000, ended(1, Outcome::Completed)),
            (3_000, began(2)),
            (3_200, VOICE),
            (4_000, ended(2, Outcome::Completed)),
        ];
        let expected = [(0, 0), (100, 1), (500, 0), (2_300, 2), (2_500, 0), (4_500, -1)];
        check(script, events, &expected).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_barge_in_is_answered_before_the_caller_goes() {
        let script = Script::new(vec![
            line(When::At(ms(0)), 1, 400),
            line(When::DuringAgent(ms(500)), 2, 600),
        ]);
        let events = vec![
            (800, began(1)),
            (1_000, VOICE),
            (1_700, ended(1, Outcome::Interrupted)),
            (2_500, began(2)),
            (2_700, VOICE),
            (3_500, ended(2, Outcome::Completed)),
        ];
        let expected = [(0, 1), (400, 0), (1_500, 2), (2_100, 0), (4_000, -1)];
        check(script, events, &expected).await;
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_pressed_comes_at_its_cue_between_the_frames() {
        let keys = vec![UserInput::Digit('1'), UserInput::Digit('#')];
        let script = Script::new(vec![
            line(When::At(ms(0)), 1, 40),
            Line { when: When::At(ms(100)), what: What::Input(keys.clone()) },
        ]);
        let start = Instant::now();
        let mut source = scripted::call(script, None).source;
        let (mut frames, mut pressed) = (0, Vec::new());
        while pressed.len() < keys.len() {
            match source.next().await {
                Captured::Frame(..) => frames += 1,
                Captured::Input(key, at) => {
                    assert_eq!((at, frames), (Instant::now(), 6));
                    assert_eq!(at - start, ms(120));
                    pressed.push(key);
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(pressed, keys);
    }

    #[tokio::test(start_paused = true)]
    async fn who_hears_nothing_hangs_up() {
        let script =
            Script { patience: ms(3_000), ..Script::new(vec![line(When::At(ms(0)), 1, 400)]) };
        check(script, vec![(800, began(1))], &[(0, 1), (400, 0), (3_400, -2)]).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_cue_of_the_clock_needs_no_patience() {
        let line = line(When::At(ms(5_000)), 1, 20);
        let script = Script { patience: ms(1_000), ..Script::new(vec![line]) };
        check(script, vec![], &[(0, 0), (5_000, 1), (5_020, 0), (6_020, -2)]).await;
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_nothing_to_say_listens_for_the_grace() {
        check(Script::new(vec![]), vec![], &[(0, 0), (500, -1)]).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_may_go_with_the_last_word_or_in_the_middle_of_the_answer() {
        let lines = vec![line(When::At(ms(0)), 1, 400)];
        let script = Script { ending: Ending::Finish, ..Script::new(lines.clone()) };
        check(script, vec![], &[(0, 1), (400, -1)]).await;
        let ending = Ending::HangUp(When::DuringAgent(ms(500)));
        let script = Script { ending, ..Script::new(lines) };
        check(script, vec![(800, began(1)), (1_000, VOICE)], &[(0, 1), (400, 0), (1_500, -2)])
            .await;
    }

    #[tokio::test(start_paused = true)]
    async fn the_noise_is_the_same_each_time() {
        let noise = || async {
            let script = Script { noise: 30, ..Script::new(vec![line(When::At(ms(40)), 99, 20)]) };
            let mut source = scripted::call(script, None).source;
            let mut samples = Vec::new();
            while let Captured::Frame(frame, _) = source.next().await {
                samples.extend_from_slice(frame.samples());
                if samples.len() > 960 {
                    break;
                }
            }
            samples
        };
        let first = noise().await;
        assert!(first[..640].iter().all(|s| s.abs() <= 30) && first[..640].contains(&30));
        assert!(first[640..960].iter().all(|s| (69..=129).contains(s)));
        assert_eq!(first, noise().await);
    }
}
