//! What was heard of the caller's utterance: which words are new, which are settled, whether it is
//! over.
//!
//! Everything up to `settled` was told as final. Words of later messages that lie before it were
//! heard already: the audio was sent again after a loss, or an interim was told as final because no
//! final came. A word belongs to the side of the cut on which its middle lies, since two
//! recognitions of one word rarely agree on its edges.

use std::time::Duration;

use voicegraph_engine::message::Endpoint;

use super::wire::Results;

/// The utterance in progress. Positions are those of the present stream.
#[derive(Debug, Default)]
pub(super) struct Utterance {
    /// Words before this were told as final.
    settled: Duration,
    /// Where the former utterance ended; a sign of its end that comes later is about it.
    ended: Duration,
    /// Whether words were told since the former utterance's end.
    open: bool,
    /// The interim that waits for its final.
    interim: Option<Results>,
    /// Whether an interim was told that no final has replaced yet.
    told: bool,
}

/// Something to tell of the utterance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) text: String,
    pub(super) is_final: bool,
    pub(super) endpoint: Option<Endpoint>,
    /// Where the last word ends, as far as that is known.
    pub(super) last_word_end: Option<Duration>,
}

impl Utterance {
    /// Takes a message of the recogniser.
    pub(super) fn results(&mut self, results: Results) -> Option<Heard> {
        let (text, last_word_end) = words(&results, self.settled, Duration::MAX);
        self.open |= !text.is_empty();
        let heard = Heard { text, last_word_end, ..Heard::default() };
        if results.is_final { self.settle(&results, heard) } else { self.replace(results, heard) }
    }

    fn replace(&mut self, results: Results, heard: Heard) -> Option<Heard> {
        let silent = heard.text.is_empty();
        self.interim = (!silent).then_some(results);
        self.told |= !silent;
        (!silent).then_some(heard)
    }

    fn settle(&mut self, results: &Results, heard: Heard) -> Option<Heard> {
        self.settled = self.settled.max(results.end);
        self.interim = None;
        let replaces = std::mem::take(&mut self.told);
        let asked = results.from_finalize && self.open;
        let endpoint = (results.speech_final && self.open).then_some(Endpoint::Silence);
        if endpoint.is_some() {
            self.end(results.end);
        }
        let tells = !heard.text.is_empty() || endpoint.is_some() || replaces || asked;
        tells.then_some(Heard { is_final: true, endpoint, ..heard })
    }

    /// Takes the sign that a gap followed the word that ends at `last_word_end`. It counts where no
    /// silence ended the utterance before. An interim that waits for its final becomes it.
    pub(super) fn word_gap(&mut self, last_word_end: Option<Duration>) -> Option<Heard> {
        if !self.open || last_word_end.is_some_and(|end| end <= self.ended) {
            return None;
        }
        let heard = self.promote(Duration::MAX).unwrap_or_default();
        self.end(last_word_end.unwrap_or(self.settled));
        Some(Heard {
            is_final: true,
            endpoint: Some(Endpoint::WordGap),
            last_word_end: heard.last_word_end.or(last_word_end),
            ..heard
        })
    }

    /// Makes a final of the interim's words before `until`, because no final will come for them.
    pub(super) fn promote(&mut self, until: Duration) -> Option<Heard> {
        let interim = self.interim.take()?;
        let (text, last_word_end) = words(&interim, self.settled, until);
        if text.is_empty() {
            self.interim = Some(interim);
            return None;
        }
        self.settled = self.settled.max(last_word_end.unwrap_or(interim.end).min(until));
        self.told = false;
        Some(Heard { text, is_final: true, endpoint: None, last_word_end })
    }

    /// Words before this were told as final.
    pub(super) fn settled(&self) -> Duration {
        self.settled
    }

    /// Notes that there is nothing to be heard before `position`.
    pub(super) fn skip(&mut self, position: Duration) {
        self.settled = self.settled.max(position);
    }

    /// A new stream begins, on which `rewound` gives where a position of the one before will be.
    pub(super) fn rebase(&mut self, rewound: impl Fn(Duration) -> Duration) {
        self.settled = rewound(self.settled);
        self.ended = Duration::ZERO;
        if let Some(interim) = &mut self.interim {
            interim.rebase(rewound);
        }
    }

    fn end(&mut self, position: Duration) {
        self.open = false;
        self.ended = position;
    }
}

/// The text of the words from `from` to `until`, and where the last of them ends. A message that
/// lies inside as a whole keeps its text as the provider wrote it; else it is put together from its
/// words.
fn words(results: &Results, from: Duration, until: Duration) -> (String, Option<Duration>) {
    let inside = |at| from <= at && at < until;
    if from <= results.start && results.end <= until {
        let last = results.words.last().map(|word| word.end);
        return (results.transcript.clone(), last);
    }
    if results.words.is_empty() {
        let middle = (results.start + results.end) / 2;
        let text = if inside(middle) { results.transcript.clone() } else { String::new() };
        return (text, None);
    }
    let kept: Vec<_> = results.words.iter().filter(|word| inside(word.middle())).collect();
    let texts: Vec<&str> = kept.iter().map(|word| word.text.as_str()).collect();
    (texts.join(" "), kept.last().map(|word| word.end))
}

#[cfg(test)]
mod tests {
    use super::super::wire::Word;
    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// A message whose words each take 200 ms of every 400 ms, from `start_ms` on.
    fn results(start_ms: u64, end_ms: u64, text: &str) -> Results {
        let words = text.split_whitespace().zip(0..).map(|(text, n)| {
            let start = ms(start_ms + 400 * n);
            Word { text: text.to_owned(), start, end: start + ms(200) }
        });
        Results {
            start: ms(start_ms),
            end: ms(end_ms),
            transcript: text.to_owned(),
            words: words.collect(),
            ..Results::default()
        }
    }

    fn settled(results: Results) -> Results {
        Results { is_final: true, ..results }
    }

    fn ended(results: Results) -> Results {
        Results { speech_final: true, ..settled(results) }
    }

    fn asked(results: Results) -> Results {
        Results { from_finalize: true, ..settled(results) }
    }

    enum Take {
        Results(Results),
        Gap(u64),
        Promote,
        Rebase(u64),
    }

    /// Each thing taken, and what is told: `~ interim`, `= final`, `. end by silence`, `_ by a
    /// gap`.
    fn check(cases: impl IntoIterator<Item = (Take, &'static str)>) {
        let mut utterance = Utterance::default();
        for (n, (take, expected)) in cases.into_iter().enumerate() {
            let heard = match take {
                Take::Results(results) => utterance.results(results),
                Take::Gap(end_ms) => utterance.word_gap(Some(ms(end_ms))),
                Take::Promote => utterance.promote(Duration::MAX),
                Take::Rebase(origin_ms) => {
                    utterance.rebase(|position| position.saturating_sub(ms(origin_ms)));
                    None
                }
            };
            let told = heard.map_or_else(String::new, |heard| {
                let sign = match (heard.is_final, heard.endpoint) {
                    (false, _) => '~',
                    (true, None) => '=',
                    (true, Some(Endpoint::Silence)) => '.',
                    (true, Some(Endpoint::WordGap)) => '_',
                };
                format!("{sign} {}", heard.text)
            });
            assert_eq!(told.trim_end(), expected, "step {n}");
        }
    }

    #[test]
    fn an_interim_is_replaced_and_finals_are_told_once() {
        check([
            (Take::Results(results(0, 1000, "hello")), "~ hello"),
            (Take::Results(settled(results(0, 1600, "hello there"))), "= hello there"),
            (Take::Results(results(1600, 3500, "how are")), "~ how are"),
            (Take::Results(ended(results(1600, 4000, "how are you"))), ". how are you"),
        ]);
    }

    #[test]
    fn silence_is_not_told() {
        check([
            (Take::Results(results(0, 1000, "")), ""),
            (Take::Results(settled(results(0, 3000, ""))), ""),
            (Take::Results(ended(results(3000, 4000, ""))), ""),
            (Take::Results(asked(results(4000, 5000, ""))), ""),
            (Take::Gap(4500), ""),
        ]);
    }

    #[test]
    fn an_empty_final_is_told_where_it_says_something() {
        check([
            (Take::Results(settled(results(0, 1000, "hello"))), "= hello"),
            (Take::Results(asked(results(1000, 1500, ""))), "="),
            (Take::Results(ended(results(1500, 2000, ""))), "."),
            (Take::Results(results(2000, 3000, "uh")), "~ uh"),
            (Take::Results(results(2000, 3200, "")), ""),
            (Take::Results(settled(results(2000, 3500, ""))), "="),
        ]);
    }

    #[test]
    fn a_word_gap_counts_only_where_silence_did_not_end_the_utterance() {
        check([
            (Take::Results(ended(results(0, 1000, "hello"))), ". hello"),
            (Take::Gap(200), ""),
            (Take::Results(results(1000, 2000, "how")), "~ how"),
            (Take::Gap(200), ""),
            (Take::Results(settled(results(1000, 2000, "how are"))), "= how are"),
            (Take::Gap(1600), "_"),
            (Take::Gap(1600), ""),
        ]);
    }

    #[test]
    fn a_word_gap_settles_the_interim_before_it() {
        check([
            (Take::Results(results(0, 1000, "hello there")), "~ hello there"),
            (Take::Gap(600), "_ hello there"),
            (Take::Results(settled(results(0, 1500, "hello there friend"))), "= friend"),
        ]);
    }

    #[test]
    fn a_late_final_adds_only_what_the_promoted_interim_lacked() {
        check([
            (Take::Promote, ""),
            (Take::Results(results(0, 1000, "hello there")), "~ hello there"),
            (Take::Promote, "= hello there"),
            (Take::Promote, ""),
            (Take::Results(ended(results(0, 1600, "hello there friend"))), ". friend"),
        ]);
        check([
            (Take::Results(results(0, 1000, "hello there")), "~ hello there"),
            (Take::Promote, "= hello there"),
            (Take::Results(ended(results(0, 1600, "hello there"))), "."),
        ]);
    }

    #[test]
    fn a_new_stream_does_not_repeat_what_is_settled() {
        check([
            (Take::Results(settled(results(0, 450, "hello"))), "= hello"),
            (Take::Results(results(450, 1000, "there")), "~ there"),
            (Take::Rebase(400), ""),
            (Take::Results(results(0, 600, "there")), "~ there"),
            (Take::Results(settled(results(0, 600, "there"))), "= there"),
        ]);
        check([
            (Take::Results(settled(results(0, 1000, "hello"))), "= hello"),
            (Take::Rebase(600), ""),
            (Take::Results(settled(results(0, 1000, "lo there"))), "= there"),
        ]);
    }

    #[test]
    fn words_without_times_go_by_their_span() {
        let untimed = |start, end| Results { words: vec![], ..settled(results(start, end, "yes")) };
        check([
            (Take::Results(settled(results(0, 1000, "hello"))), "= hello"),
            (Take::Results(untimed(0, 1000)), ""),
            (Take::Results(untimed(900, 2000)), "= yes"),
        ]);
    }

    #[test]
    fn part_of_an_interim_can_be_settled() {
        let mut utterance = Utterance::default();
        utterance.results(results(0, 1200, "one two three"));
        let heard = utterance.promote(ms(700)).unwrap();
        assert_eq!((heard.text.as_str(), heard.last_word_end), ("one two", Some(ms(600))));
        assert_eq!(utterance.settled(), ms(600));
    }
}
