//! The caller's words that no turn has answered yet. Pure.

use tokio::time::Instant;
use voicegraph_engine::message::{Endpoint, Transcript};

/// The words that wait for the end of the caller's turn.
#[derive(Debug, Default)]
pub(super) struct Words {
    /// The words of the finals, parted by one blank.
    settled: String,
    /// The words that may still change, after the settled and the anticipated ones.
    interim: String,
    /// The last interim as a whole, as compared.
    guess: Vec<String>,
    /// The interim that was taken for settled, as compared; a final is still to come for it.
    anticipated: Vec<String>,
    /// How many of the words were judged not to be an interruption.
    judged: usize,
    /// The end of the last word, on the clock of the capture.
    end: Option<Instant>,
    /// When the last transcript with words arrived.
    received: Option<Instant>,
    /// When the words that wait began to arrive, and when they last became others.
    changes: Option<(Instant, Instant)>,
    /// When the last final arrived, with words or without.
    settled_at: Option<Instant>,
    /// When the recogniser declared the utterance over, if no words came since.
    endpoint: Option<Instant>,
    /// When the last of the words that were not spoken came.
    typed: Option<Typed>,
}

/// Words that were typed or pressed: they are whole, and wait for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Typed {
    /// When that was.
    pub(super) at: Instant,
    /// When it was known that no more belongs to it.
    pub(super) whole: Instant,
}

impl Words {
    /// Takes what the recogniser heard.
    pub(super) fn hear(&mut self, transcript: &Transcript) {
        let before = self.compared();
        self.take_in(transcript);
        if self.compared() != before {
            let first = self.changes.filter(|_| !before.is_empty()).map(|(first, _)| first);
            self.changes = Some((first.unwrap_or(transcript.received), transcript.received));
        }
    }

    /// Takes words that were not spoken, after all that was spoken so far.
    pub(super) fn write(&mut self, text: &str, typed: Typed) {
        self.anticipate();
        append(&mut self.settled, text);
        self.typed = Some(typed);
    }

    /// Takes the unsettled words for settled: the recogniser will say no more in time.
    pub(super) fn anticipate(&mut self) {
        if !self.interim.is_empty() {
            append(&mut self.settled, &std::mem::take(&mut self.interim));
            self.anticipated = std::mem::take(&mut self.guess);
        }
    }

    /// Gives all words away, to a turn, settled or not.
    pub(super) fn take(&mut self) -> String {
        self.anticipate();
        let anticipated = std::mem::take(&mut self.anticipated);
        let words = std::mem::replace(self, Self { anticipated, ..Self::default() });
        words.settled
    }

    pub(super) fn is_empty(&self) -> bool {
        self.settled.is_empty() && self.interim.is_empty()
    }

    /// Whether no word may change any more.
    pub(super) fn are_settled(&self) -> bool {
        self.interim.is_empty()
    }

    /// The words that were not judged yet, settled or not.
    pub(super) fn unjudged(&self) -> usize {
        self.count().saturating_sub(self.judged)
    }

    /// Judges the words so far not to be an interruption.
    pub(super) fn judge(&mut self) {
        self.judged = self.count();
    }

    pub(super) fn end(&self) -> Option<Instant> {
        self.end
    }

    pub(super) fn received(&self) -> Option<Instant> {
        self.received
    }

    /// When words came that were not spoken.
    pub(super) fn typed(&self) -> Option<Typed> {
        self.typed
    }

    /// When the words that wait began to arrive, and when they last became others, save for
    /// capitals and punctuation.
    pub(super) fn changes(&self) -> Option<(Instant, Instant)> {
        self.changes
    }

    pub(super) fn settled_at(&self) -> Option<Instant> {
        self.settled_at
    }

    pub(super) fn endpoint(&self) -> Option<Instant> {
        self.endpoint
    }

    fn compared(&self) -> Vec<String> {
        comparable(&self.settled).chain(comparable(&self.interim)).collect()
    }

    fn count(&self) -> usize {
        self.settled.split_whitespace().count() + self.interim.split_whitespace().count()
    }

    fn take_in(&mut self, transcript: &Transcript) {
        let fresh = self.fresh(&transcript.text);
        if !fresh.is_empty() {
            self.received = Some(transcript.received);
            self.end = self.end.max(transcript.audio_end);
            self.endpoint = None;
        }
        if transcript.is_final {
            self.settle(transcript, &fresh);
        } else {
            self.interim = fresh;
            self.guess = comparable(&transcript.text).collect();
        }
    }

    fn settle(&mut self, transcript: &Transcript, fresh: &str) {
        self.settled_at = Some(transcript.received);
        let gap = transcript.endpoint == Some(Endpoint::WordGap);
        if gap && transcript.text.is_empty() {
            // It covers no audio of its own, and says that the words so far are all.
            self.anticipate();
        } else {
            self.interim.clear();
            self.forget_anticipated(transcript);
            append(&mut self.settled, fresh);
        }
        if transcript.endpoint.is_some() && !self.settled.is_empty() {
            self.endpoint = Some(transcript.received);
            self.end = self.end.max(transcript.audio_end);
        }
    }

    /// The words of `text` after those that it begins with in common with the anticipated ones.
    fn fresh(&self, text: &str) -> String {
        let words: Vec<&str> = text.split_whitespace().collect();
        words[self.common(text)..].join(" ")
    }

    /// Forgets the anticipated words that a final settles: as many as it repeats, since it may
    /// cover less than the interim did, or all where it says something else or ends the utterance.
    fn forget_anticipated(&mut self, transcript: &Transcript) {
        let common = self.common(&transcript.text);
        let repeats = common == transcript.text.split_whitespace().count();
        let partly = repeats && transcript.endpoint.is_none();
        let settled = if partly { common } else { self.anticipated.len() };
        self.anticipated.drain(..settled);
    }

    fn common(&self, text: &str) -> usize {
        comparable(text)
            .zip(&self.anticipated)
            .take_while(|(word, expected)| word == *expected)
            .count()
    }
}

/// The words as they are compared: finals add capitals and punctuation to what the interims said.
fn comparable(text: &str) -> impl Iterator<Item = String> {
    text.split_whitespace().map(|word| {
        word.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    })
}

fn append(text: &mut String, more: &str) {
    if !text.is_empty() && !more.is_empty() {
        text.push(' ');
    }
    text.push_str(more);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transcript(text: &str, is_final: bool) -> Transcript {
        let received = Instant::now();
        Transcript { text: text.to_owned(), is_final, endpoint: None, audio_end: None, received }
    }

    fn over(text: &str, endpoint: Endpoint) -> Transcript {
        Transcript { endpoint: Some(endpoint), ..transcript(text, true) }
    }

    /// Hears finals (`true`) and interims in order, and compares the words that wait.
    fn check(heard: &[(&str, bool)], settled: &str, interim: &str) {
        let mut words = Words::default();
        heard.iter().for_each(|(text, is_final)| words.hear(&transcript(text, *is_final)));
        assert_eq!((words.settled.as_str(), words.interim.as_str()), (settled, interim));
    }

    #[test]
    fn finals_are_joined_and_interims_replaced() {
        check(&[("I", false), ("I would", false)], "", "I would");
        check(&[("I wood", false), ("I would", true)], "I would", "");
        check(&[("I would", true), ("like", false), (" like to ", true)], "I would like to", "");
        check(&[("I would", true), ("", true)], "I would", "");
        check(&[("noise", false), ("", true)], "", "");
    }

    /// The words that stay after a turn took `interim` unsettled and `then` was heard as final.
    fn after_anticipation(interim: &str, then: &[&str]) -> String {
        let mut words = Words::default();
        words.hear(&transcript(interim, false));
        assert_eq!(words.take(), interim);
        then.iter().for_each(|text| words.hear(&transcript(text, true)));
        words.take()
    }

    #[test]
    fn a_late_final_that_repeats_answered_words_adds_nothing() {
        assert_eq!(after_anticipation("book me tuesday", &["Book me Tuesday."]), "");
        assert_eq!(after_anticipation("book me tuesday", &["Book me", "Tuesday."]), "");
        assert_eq!(after_anticipation("book me tuesday", &["", "Book me Tuesday."]), "");
    }

    #[test]
    fn a_late_final_adds_the_words_that_were_not_answered() {
        assert_eq!(after_anticipation("book me", &["Book me Tuesday."]), "Tuesday.");
        assert_eq!(after_anticipation("book me tues", &["Book me Tuesday."]), "Tuesday.");
        assert_eq!(after_anticipation("look", &["Book me."]), "Book me.");
        assert_eq!(after_anticipation("yes", &["Yes.", "Yes please."]), "Yes please.");
    }

    #[test]
    fn an_interim_that_repeats_answered_words_adds_nothing() {
        let mut words = Words::default();
        words.hear(&transcript("book me", false));
        words.take();
        words.hear(&transcript("book me", false));
        assert!(words.is_empty());
        words.hear(&transcript("book me tuesday", false));
        assert_eq!(words.interim, "tuesday");
    }

    #[test]
    fn a_changed_guess_is_answered_once() {
        let mut words = Words::default();
        words.hear(&transcript("recognise", false));
        words.take();
        words.hear(&transcript("wreck a nice", false));
        assert_eq!(words.take(), "wreck a nice");
        words.hear(&transcript("Wreck a nice beach.", true));
        assert_eq!(words.take(), "beach.");
    }

    #[test]
    fn a_word_gap_takes_the_interim_for_settled() {
        let mut words = Words::default();
        words.hear(&transcript("good morning", false));
        words.hear(&over("", Endpoint::WordGap));
        assert!(words.endpoint().is_some() && words.are_settled());
        assert_eq!(words.take(), "good morning");
        words.hear(&transcript("Good morning.", true));
        assert!(words.is_empty());
    }

    #[test]
    fn an_endpoint_holds_until_more_words_come() {
        let mut words = Words::default();
        words.hear(&over("", Endpoint::Silence));
        assert!(words.endpoint().is_none(), "there is nothing to end");
        words.hear(&over("yes", Endpoint::Silence));
        assert!(words.endpoint().is_some());
        words.hear(&transcript("please", false));
        assert!(words.endpoint().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn words_change_when_they_become_others() {
        let start = Instant::now();
        let changes = |words: &Words| {
            let (first, last) = words.changes().expect("words came");
            ((first - start).as_millis(), (last - start).as_millis())
        };
        let mut words = Words::default();
        for (text, is_final, expected) in [
            ("good", false, (0, 0)),
            ("good morning", false, (0, 10)),
            ("good morning", false, (0, 10)),
            ("Good morning.", true, (0, 10)),
            ("to", false, (0, 40)),
        ] {
            words.hear(&transcript(text, is_final));
            assert_eq!(changes(&words), expected, "{text}");
            tokio::time::advance(std::time::Duration::from_millis(10)).await;
        }
        words.take();
        words.hear(&transcript("to you", true));
        assert_eq!(changes(&words), (50, 50), "what was taken waits no more");
    }

    #[test]
    fn judged_words_do_not_count_again() {
        let mut words = Words::default();
        words.hear(&transcript("uh huh", true));
        assert_eq!(words.unjudged(), 2);
        words.judge();
        words.hear(&transcript("wait", false));
        assert_eq!(words.unjudged(), 1);
    }
}
