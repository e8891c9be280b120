//! The words of both sides, as segments whose latest state is to be told. Pure.
//!
//! In come the call's events; out go updates for the writer, one for each segment that changed
//! since: a writer that is slow tells later and less, and never wrong.

use std::collections::VecDeque;

use voicegraph_engine::event::Event;
use voicegraph_engine::turn::TurnId;

/// Segments that may wait for the writer; of more, the oldest is dropped and counted.
const MAX_WAITING: usize = 64;

/// Whose words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speaker {
    Agent,
    Caller,
}

/// A segment as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// Unique within the room.
    pub(super) id: String,
    pub(super) speaker: Speaker,
    /// All of its words so far: of the agent those that were heard, of the caller those that were
    /// recognised.
    pub(super) text: String,
    /// Whether the words are settled.
    pub(super) is_final: bool,
}

/// What both sides said, as far as it is not told yet.
#[derive(Debug)]
pub(super) struct Transcript {
    /// What the ids of the call's segments begin with.
    prefix: String,
    count: u64,
    /// The turn that is being spoken.
    agent: Option<(TurnId, Segment)>,
    /// The caller's words that are not settled.
    caller: Option<Segment>,
    waiting: VecDeque<Segment>,
    dropped: u64,
}

impl Transcript {
    /// Of a call whose segments are called `SG_`, then `call`, then a number.
    pub(super) fn new(call: &str) -> Self {
        let prefix = format!("SG_{call}");
        let waiting = VecDeque::new();
        Self { prefix, count: 0, agent: None, caller: None, waiting, dropped: 0 }
    }

    /// Takes note of an event; `true` where something is to be told by that.
    pub(super) fn on(&mut self, event: &Event) -> bool {
        match event {
            Event::AgentSpoke { turn, text } => self.spoke(*turn, text),
            Event::TurnEnded { heard, report } => self.ended(report.turn, heard),
            Event::UserTranscript { text, is_final } => self.recognised(text, *is_final),
            _ => return false,
        }
        true
    }

    /// What is to be told next.
    pub(super) fn next(&mut self) -> Option<Segment> {
        self.waiting.pop_front()
    }

    /// How many updates were dropped.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    fn spoke(&mut self, turn: TurnId, text: &str) {
        let mut segment = self.segment_of(turn);
        segment.text.push_str(text);
        self.tell(segment.clone());
        self.agent = Some((turn, segment));
    }

    /// A turn is over. One of which nothing was heard has no segment.
    fn ended(&mut self, turn: TurnId, heard: &str) {
        let began = matches!(&self.agent, Some((live, _)) if *live == turn);
        if heard.is_empty() && !began {
            return;
        }
        let mut segment = self.segment_of(turn);
        (segment.text, segment.is_final) = (heard.to_owned(), true);
        self.tell(segment);
    }

    /// The segment of `turn`, taken out: that in progress, or a new one.
    fn segment_of(&mut self, turn: TurnId) -> Segment {
        match self.agent.take() {
            Some((live, segment)) if live == turn => segment,
            other => {
                self.agent = other;
                self.begin(Speaker::Agent)
            }
        }
    }

    fn recognised(&mut self, text: &str, is_final: bool) {
        let segment = self.caller.take();
        let mut segment = segment.unwrap_or_else(|| self.begin(Speaker::Caller));
        (segment.text, segment.is_final) = (text.to_owned(), is_final);
        self.tell(segment.clone());
        self.caller = Some(segment).filter(|segment| !segment.is_final);
    }

    fn begin(&mut self, speaker: Speaker) -> Segment {
        self.count += 1;
        let id = format!("{}_{}", self.prefix, self.count);
        Segment { id, speaker, text: String::new(), is_final: false }
    }

    fn tell(&mut self, segment: Segment) {
        if let Some(waiting) = self.waiting.iter_mut().find(|waiting| waiting.id == segment.id) {
            *waiting = segment;
            return;
        }
        self.waiting.push_back(segment);
        if self.waiting.len() > MAX_WAITING {
            self.waiting.pop_front();
            self.dropped += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use voicegraph_engine::turn::{Anchor, Outcome, TurnReport};

    use super::*;

    fn spoke(turn: u32, text: &str) -> Event {
        Event::AgentSpoke { turn: TurnId(turn), text: text.to_owned() }
    }

    fn ended(turn: u32, heard: &str) -> Event {
        let report = TurnReport {
            turn: TurnId(turn),
            anchor: Anchor::CallStart,
            outcome: Outcome::Completed,
            end_of_turn_delay: None,
            transcription_delay: None,
            llm_ttft: None,
            tts_ttfb: None,
            e2e: None,
            engine_added: None,
            played: Duration::ZERO,
            barge_in_stop: None,
            flush: None,
        };
        Event::TurnEnded { heard: heard.to_owned(), report }
    }

    fn said(text: &str, is_final: bool) -> Event {
        Event::UserTranscript { text: text.to_owned(), is_final }
    }

    /// What is told after these events, with a full stop where it is final.
    fn check(transcript: &mut Transcript, events: &[Event], expected: &[&str]) {
        events.iter().for_each(|event| assert!(transcript.on(event)));
        let line = |Segment { id, text, is_final, .. }: Segment| {
            format!("{id} {text}{}", if is_final { "." } else { "" })
        };
        let told: Vec<_> = std::iter::from_fn(|| transcript.next()).map(line).collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn the_agents_words_grow_until_the_turn_is_over() {
        let mut transcript = Transcript::new("a");
        check(&mut transcript, &[spoke(1, "Good")], &["SG_a_1 Good"]);
        check(&mut transcript, &[spoke(1, " morning")], &["SG_a_1 Good morning"]);
        check(&mut transcript, &[ended(1, "Good morning")], &["SG_a_1 Good morning."]);
        check(&mut transcript, &[spoke(2, "Bye")], &["SG_a_2 Bye"]);
    }

    #[test]
    fn what_was_heard_counts_in_the_end() {
        let mut transcript = Transcript::new("a");
        check(&mut transcript, &[spoke(1, "Doctor"), ended(1, "Dr. Who")], &["SG_a_1 Dr. Who."]);
        check(&mut transcript, &[ended(2, "")], &[]);
        check(&mut transcript, &[ended(3, "Yes")], &["SG_a_2 Yes."]);
    }

    #[test]
    fn the_callers_updates_share_a_segment_until_they_are_settled() {
        let mut transcript = Transcript::new("a");
        check(&mut transcript, &[said("I", false)], &["SG_a_1 I"]);
        check(&mut transcript, &[said("I have", false)], &["SG_a_1 I have"]);
        check(&mut transcript, &[said("I have.", true)], &["SG_a_1 I have.."]);
        check(&mut transcript, &[said("Yes", true)], &["SG_a_2 Yes."]);
    }

    #[test]
    fn a_slow_writer_is_told_the_latest() {
        let mut transcript = Transcript::new("a");
        let events = [said("I", false), spoke(1, "Go"), said("I have", true), spoke(1, " on")];
        check(&mut transcript, &events, &["SG_a_1 I have.", "SG_a_2 Go on"]);
    }

    #[test]
    fn what_waits_has_a_limit() {
        let mut transcript = Transcript::new("a");
        for _ in 0..=MAX_WAITING {
            transcript.on(&said("Yes", true));
        }
        assert_eq!(transcript.dropped(), 1);
        assert_eq!(transcript.next().expect("the second").id, "SG_a_2");
    }
}
