//! What holds whatever is heard, and in whatever order.

use proptest::prelude::*;
use voicegraph_engine::message::{Endpoint, UserInput};

use super::super::{EndOfTurn, Options};
use super::{AFTERWARDS_MS, Agent, Call, Happening};

/// One moment of a random call.
#[derive(Clone, Debug)]
enum Moment {
    /// The caller begins to speak, or ceases to.
    Voice,
    /// The recogniser guesses so many of the coming words, rightly or wrongly.
    Interim { words: usize, right: bool },
    /// The recogniser settles so many words.
    Final { words: usize, over: bool },
    /// The utterance is over by its word times.
    Gap,
    /// The caller types a message of one word.
    Typed,
    /// The caller presses a key, or `#`.
    Key { ends: bool },
    /// The caller presses the button to interrupt.
    Button,
    /// The agent begins to be heard, or finishes.
    Agent,
}

/// Moments of a call whose recogniser guesses rightly with this probability.
fn moments(right: f64) -> impl Strategy<Value = Vec<(u64, Moment)>> {
    prop::collection::vec((0_u64..900, moment(right)), 1..40)
}

fn moment(right: f64) -> impl Strategy<Value = Moment> {
    prop_oneof![
        3 => Just(Moment::Voice),
        2 => (1_usize..4, prop::bool::weighted(right))
            .prop_map(|(words, right)| Moment::Interim { words, right }),
        3 => (0_usize..4, any::<bool>()).prop_map(|(words, over)| Moment::Final { words, over }),
        1 => Just(Moment::Gap),
        1 => Just(Moment::Typed),
        1 => any::<bool>().prop_map(|ends| Moment::Key { ends }),
        1 => Just(Moment::Button),
        2 => Just(Moment::Agent),
    ]
}

fn any_options() -> impl Strategy<Value = Options> {
    let endpoint = prop_oneof![Just(EndOfTurn::Stt), Just(EndOfTurn::Vad), Just(EndOfTurn::First)];
    let delays = prop_oneof![Just(0_u32), Just(400)];
    (endpoint, delays, any::<bool>(), any::<bool>(), 0_u32..3).prop_map(
        |(endpoint, min_delay_ms, agent_speaks_first, allow_interruptions, words)| Options {
            endpoint,
            min_delay_ms,
            agent_speaks_first,
            allow_interruptions,
            min_interruption_words: words,
            ..Options::default()
        },
    )
}

/// Plays random moments as a caller and a recogniser would bring them: voices begin before they
/// end, and every word is a new one.
struct Play {
    call: Call,
    speaking: bool,
    /// How many words were settled so far.
    said: usize,
    /// How many more the last interim guessed.
    guessed: usize,
    /// How many messages were typed, and how many keys other than `#` were pressed.
    typed: (usize, usize),
}

impl Play {
    fn word(number: usize) -> String {
        format!("w{number}")
    }

    fn heard(&mut self, words: &[String], is_final: bool, endpoint: Option<Endpoint>, at: u64) {
        let text = words.join(" ");
        let end = (!text.is_empty()).then_some(at.saturating_sub(50));
        self.call.happen(at, Happening::Heard { text, is_final, endpoint, end });
    }

    fn play(&mut self, moment: &Moment, at: u64) {
        self.call.pass(at);
        match *moment {
            Moment::Voice => {
                let when = at.saturating_sub(60);
                let ended = self.speaking;
                self.speaking = !ended;
                let voice = if ended { Happening::Ended(when) } else { Happening::Started(when) };
                self.call.happen(at, voice);
            }
            Moment::Interim { words, right } => {
                let mut guess: Vec<_> = (self.said..self.said + words).map(Self::word).collect();
                if !right {
                    guess.iter_mut().skip(words / 2).for_each(|word| word.insert(0, 'x'));
                }
                self.guessed = self.guessed.max(words);
                self.heard(&guess, false, None, at);
            }
            Moment::Final { words, over } => {
                // What ends the utterance settles all that was guessed of it.
                let words = if over { words.max(self.guessed) } else { words };
                self.guessed = self.guessed.saturating_sub(words);
                let text: Vec<_> = (self.said..self.said + words).map(Self::word).collect();
                self.said += words;
                self.heard(&text, true, over.then_some(Endpoint::Silence), at);
            }
            Moment::Typed => {
                let text = format!("t{}", self.typed.0);
                self.typed.0 += 1;
                self.call.happen(at, Happening::Given(UserInput::Text(text.into())));
            }
            Moment::Key { ends } => {
                self.typed.1 += usize::from(!ends);
                let key = if ends { '#' } else { '*' };
                self.call.happen(at, Happening::Given(UserInput::Digit(key)));
            }
            Moment::Button => self.call.happen(at, Happening::Given(UserInput::Interrupt)),
            Moment::Gap => self.heard(&[], true, Some(Endpoint::WordGap), at),
            Moment::Agent => match self.call.agent {
                Agent::Idle => {}
                Agent::Thinking | Agent::Speaking if self.call.held => {}
                Agent::Thinking => self.call.happen(at, Happening::Speaks),
                Agent::Speaking => self.call.happen(at, Happening::Done),
            },
        }
    }

    /// Ends the call: no hold may be left, and the answer in progress is played to its end.
    fn close(&mut self, at: u64) {
        self.call.pass(at);
        self.call.happen(at, Happening::Close);
        for round in 1..4 {
            assert!(!self.call.held, "held for ever: {:?}", self.call.log);
            if self.call.agent != Agent::Idle {
                self.call.happen(at + AFTERWARDS_MS * round, Happening::Done);
            }
        }
        assert!(self.call.dialogue.is_done(), "{:?}", self.call.log);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn every_settled_word_goes_into_exactly_one_turn(
        options in any_options(),
        moments in moments(1.0),
    ) {
        let (said, words, log) = play_to_the_end(options, &moments);
        let guessed = words.len().saturating_sub(said.len());
        prop_assert!(words[..words.len() - guessed] == said[..], "{words:?} {log:?}");
        prop_assert!(guessed <= 3, "only the last interim was never settled: {words:?}");
    }

    #[test]
    fn no_settled_word_is_lost_however_wrong_the_guesses(
        options in any_options(),
        moments in moments(0.6),
    ) {
        let (said, words, log) = play_to_the_end(options, &moments);
        let mut words_left = words.iter();
        let in_order = said.iter().all(|word| words_left.any(|other| other == word));
        prop_assert!(in_order, "{words:?} {log:?}");
    }

    #[test]
    fn every_hold_is_resolved_though_nothing_more_is_heard(
        options in any_options(),
        moments in moments(0.8),
    ) {
        let (mut play, at) = play(options, &moments);
        play.call.pass(at + AFTERWARDS_MS);
        prop_assert!(!play.call.held, "{:?}", play.call.log);
        prop_assert_eq!(play.call.dialogue.due(play.call.agent), None);
    }
}

fn play(options: Options, moments: &[(u64, Moment)]) -> (Play, u64) {
    let mut play =
        Play { call: Call::new(options), speaking: false, said: 0, guessed: 0, typed: (0, 0) };
    let mut at = 100;
    for (pause, moment) in moments {
        at += pause;
        play.play(moment, at);
    }
    (play, at)
}

/// Every message is in exactly one turn, in order, and so is every key.
fn assert_nothing_given_is_lost(play: &Play, turns: &str) {
    let (typed, pressed) = play.typed;
    let messages = turns.split_whitespace().filter(|word| word.starts_with('t'));
    let messages: Vec<_> = messages.map(str::to_owned).collect();
    let expected: Vec<_> = (0..typed).map(|number| format!("t{number}")).collect();
    assert_eq!(messages, expected, "{:?}", play.call.log);
    assert_eq!(turns.matches('*').count(), pressed, "{:?}", play.call.log);
}

/// Plays a call to its end. Gives the words that were settled, the words of all turns, and the log.
fn play_to_the_end(
    options: Options,
    moments: &[(u64, Moment)],
) -> (Vec<String>, Vec<String>, Vec<String>) {
    let spoken_first = usize::from(options.agent_speaks_first);
    let (mut play, at) = play(options, moments);
    play.close(at + 10);
    let turns = &play.call.turns[spoken_first..];
    assert!(turns.iter().all(|turn| !turn.is_empty()), "{:?}", play.call.log);
    assert_nothing_given_is_lost(&play, &turns.join(" "));
    let words = turns.iter().flat_map(|turn| turn.split_whitespace());
    let words = words.filter(|word| word.starts_with('w')).map(str::to_owned).collect();
    ((0..play.said).map(Play::word).collect(), words, play.call.log)
}
