//! The options of `turn_detector`.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use voicegraph_engine::node::Problem;

/// Options of `turn_detector`, as written.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// The sign that ends the caller's turn. Default `first`.
    #[serde(default)]
    pub endpoint: EndOfTurn,
    /// How long after the end of the caller's speech the turn ends at the earliest, in ms, 0 to 10
    /// 000. Default 400: speech that goes on is detected about 100 ms after it began, so this waits
    /// out the pauses of up to 300 ms between clauses. 0 ends the turn with the first sign (then
    /// `vad.min_silence_ms` and the recogniser's endpointing are all the patience there is); above
    /// 1000 the agent feels slow. The recogniser settles its words meanwhile, so what it takes for
    /// that is not added.
    #[serde(default = "min_delay_ms")]
    #[schemars(range(min = 0, max = 10_000))]
    pub min_delay_ms: u32,
    /// How long after the end of the caller's speech the turn waits for the sign that it is over,
    /// in ms, `min_delay_ms` to 30 000. Default 3000. Then it ends with the words that there are,
    /// settled or not, as soon as they have not changed for `settle_ms`. Near `min_delay_ms` a slow
    /// recogniser loses words to the next turn; above 5000 a recogniser that gives no sign leaves
    /// the caller in silence.
    #[serde(default = "max_delay_ms")]
    #[schemars(range(min = 0, max = 30_000))]
    pub max_delay_ms: u32,
    /// How long the words must not have changed for the turn to end without a sign, once
    /// `max_delay_ms` is over, in ms, 0 to 5000. Default 500. After an outage the recogniser
    /// catches up, and its words come late and one by one: this keeps a sentence in one turn. 0
    /// makes a turn of the first late word; above 1000 such an answer, which is late already, comes
    /// later still. Words that never come to rest are waited for by another `max_delay_ms` and no
    /// longer.
    #[serde(default = "settle_ms")]
    #[schemars(range(min = 0, max = 5000))]
    pub settle_ms: u32,
    /// Whether the agent speaks first, as soon as the call begins. Default false.
    #[serde(default)]
    pub agent_speaks_first: bool,
    /// Whether the caller can interrupt the agent. Default true. With false nothing silences the
    /// agent, a message and the button neither, and what the caller says, types or presses
    /// meanwhile becomes a turn once the answer was played to its end.
    #[serde(default = "allow_interruptions")]
    pub allow_interruptions: bool,
    /// How long the caller must speak to interrupt, in ms, 0 to 5000. Default 500. The agent is
    /// silent from the onset on; this is only how long it waits before it gives its answer up.
    /// Speech counts until its end is detected, so with the default `vad.min_silence_ms` of 200 a
    /// sound of up to 300 ms is not an interruption by its length. 0 gives the answer up for every
    /// sound; above 1500 the voice's and the model's work goes on for answers that nobody will
    /// hear.
    #[serde(default = "min_interruption_ms")]
    #[schemars(range(min = 0, max = 5000))]
    pub min_interruption_ms: u32,
    /// How many words the caller must say to interrupt, 0 to 20. Default 0: speech that lasts is
    /// enough. 1 keeps long noises from interrupting, 2 or 3 a listener's "mm-hm" as well. Words
    /// that were too few become a turn once the agent has finished.
    #[serde(default)]
    #[schemars(range(min = 0, max = 20))]
    pub min_interruption_words: u32,
    /// How long the agent waits for words after a sound that was too short to interrupt, in ms, 0
    /// to 10 000. Default 1000: longer than a recogniser takes for a word. Without words it goes on
    /// where it stopped. At 0 a short "stop" does not stop it; above 2000 each cough makes an
    /// awkward silence.
    #[serde(default = "false_interruption_timeout_ms")]
    #[schemars(range(min = 0, max = 10_000))]
    pub false_interruption_timeout_ms: u32,
    /// How long after a key of the telephone the number counts as complete, in ms, 0 to 10 000.
    /// Default 2000: who reads a number from a card pauses between its groups. `#` completes it at
    /// once. 0 makes each key a turn of its own, as for a menu; above 3000 who does not know of `#`
    /// waits.
    #[serde(default = "dtmf_timeout_ms")]
    #[schemars(range(min = 0, max = 10_000))]
    pub dtmf_timeout_ms: u32,
}

/// The sign that ends the caller's turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndOfTurn {
    /// The recogniser says that the utterance is over.
    Stt,
    /// The voice activity detector hears silence, and the words are settled. Without an edge to
    /// `speech` there is no such sign, and every turn takes `max_delay_ms`.
    Vad,
    /// Whichever of the two comes first.
    #[default]
    First,
}

fn min_delay_ms() -> u32 {
    400
}

/// The default of LiveKit's `max_endpointing_delay`.
fn max_delay_ms() -> u32 {
    3000
}

/// Longer than a recogniser that catches up takes from word to word: it hears faster than speech.
fn settle_ms() -> u32 {
    500
}

fn allow_interruptions() -> bool {
    true
}

/// The default of LiveKit's `min_interruption_duration`.
fn min_interruption_ms() -> u32 {
    500
}

fn false_interruption_timeout_ms() -> u32 {
    1000
}

fn dtmf_timeout_ms() -> u32 {
    2000
}

impl Default for Options {
    fn default() -> Self {
        Self {
            endpoint: EndOfTurn::default(),
            min_delay_ms: min_delay_ms(),
            max_delay_ms: max_delay_ms(),
            settle_ms: settle_ms(),
            agent_speaks_first: false,
            allow_interruptions: allow_interruptions(),
            min_interruption_ms: min_interruption_ms(),
            min_interruption_words: 0,
            false_interruption_timeout_ms: false_interruption_timeout_ms(),
            dtmf_timeout_ms: dtmf_timeout_ms(),
        }
    }
}

/// Options that fit together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    pub(super) endpoint: EndOfTurn,
    pub(super) min_delay: Duration,
    pub(super) max_delay: Duration,
    pub(super) settle: Duration,
    pub(super) agent_speaks_first: bool,
    pub(super) dtmf_timeout: Duration,
    /// When the caller interrupts; `None` where nothing interrupts.
    pub(super) interruption: Option<Interruption>,
}

/// What makes speech an interruption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Interruption {
    pub(super) min_speech: Duration,
    pub(super) min_words: usize,
    pub(super) timeout: Duration,
}

impl Options {
    /// Checks what the schema cannot express.
    ///
    /// # Errors
    /// Every mistake found.
    pub fn build(self) -> Result<Settings, Vec<Problem>> {
        let Self { min_delay_ms, max_delay_ms, .. } = self;
        if min_delay_ms > max_delay_ms {
            let what = format!("{max_delay_ms} is below `min_delay_ms`, which is {min_delay_ms}");
            let help = format!("write {min_delay_ms} or more, or lower `min_delay_ms`");
            return Err(vec![Problem::new("max_delay_ms", what).help(help)]);
        }
        let interruption = Interruption {
            min_speech: millis(self.min_interruption_ms),
            min_words: self.min_interruption_words as usize,
            timeout: millis(self.false_interruption_timeout_ms),
        };
        Ok(Settings {
            endpoint: self.endpoint,
            min_delay: millis(min_delay_ms),
            max_delay: millis(max_delay_ms),
            settle: millis(self.settle_ms),
            agent_speaks_first: self.agent_speaks_first,
            dtmf_timeout: millis(self.dtmf_timeout_ms),
            interruption: self.allow_interruptions.then_some(interruption),
        })
    }
}

fn millis(ms: u32) -> Duration {
    Duration::from_millis(ms.into())
}

impl Interruption {
    /// How many words interrupt by themselves, however short they are.
    pub(super) fn telling_words(&self) -> usize {
        self.min_words.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delays_must_not_cross() {
        let crossed = Options { min_delay_ms: 500, max_delay_ms: 400, ..Options::default() };
        let problems = crossed.build().expect_err("500 is above 400");
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].path, "max_delay_ms");
    }

    #[test]
    fn the_written_names_are_short() {
        for (name, expected) in
            [("stt", EndOfTurn::Stt), ("vad", EndOfTurn::Vad), ("first", EndOfTurn::First)]
        {
            let read: EndOfTurn = serde_json::from_value(name.into()).expect("a known name");
            assert_eq!(read, expected);
        }
    }
}
