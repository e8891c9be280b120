//! How much of an answer the caller heard.

use std::time::Duration;

/// A word as the voice will speak it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpokenWord {
    /// The word with its punctuation, without blanks.
    pub text: String,
    /// When it begins, counted from the turn's first sound.
    pub start: Duration,
    /// When it ends, counted the same way.
    pub end: Duration,
}

/// What the caller has heard of a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// How much of the turn's sound was played.
    pub played: Duration,
    /// The words that began to be played, parted by blanks.
    pub text: String,
    /// Whether the answer was played to its end.
    pub complete: bool,
    /// Whether `text` is estimated from the time played, since the voice gave no word times.
    pub estimated: bool,
}

/// The pace at which words are counted where the voice gives no times: 2.5 words a second, the
/// middle of the 140 to 160 words a minute of conversational English.
const WORD_ESTIMATE: Duration = Duration::from_millis(400);

/// What was sent to be spoken, and how far it was played.
#[derive(Debug, Default)]
pub(super) struct Playout {
    pub(super) played: Duration,
    pub(super) complete: bool,
    words: Vec<SpokenWord>,
    text: String,
    /// How many words were told as heard.
    told: usize,
}

impl Playout {
    pub(super) fn add_words(&mut self, words: impl IntoIterator<Item = SpokenWord>) {
        self.words.extend(words);
    }

    pub(super) fn add_text(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub(super) fn heard(&self) -> Heard {
        let estimated = self.words.is_empty();
        let text = if self.complete {
            joined(self.text.split_whitespace())
        } else if estimated {
            joined(self.text.split_whitespace().take(estimate(self.played)))
        } else {
            let begun = self.words.iter().filter(|word| word.start < self.played);
            joined(begun.map(|word| word.text.as_str()))
        };
        Heard { played: self.played, text, complete: self.complete, estimated }
    }

    /// The words that began to be played since this was asked last, each with a blank before it but
    /// the answer's first: together they are the text of [`heard`](Self::heard).
    pub(super) fn newly_heard(&mut self) -> String {
        let before = self.told;
        let mut new = String::new();
        let mut add = |number: usize, word: &str| {
            new.extend((number > 0).then_some(' '));
            new.push_str(word);
            self.told = number + 1;
        };
        if self.words.is_empty() {
            let count = estimate(self.played);
            if count > before {
                let words = self.text.split_whitespace().enumerate().take(count).skip(before);
                words.for_each(|(number, word)| add(number, word));
            }
        } else {
            let words = self.words.iter().enumerate().skip(before);
            let begun = words.take_while(|(_, word)| word.start < self.played);
            begun.for_each(|(number, word)| add(number, &word.text));
        }
        new
    }
}

/// How many words were begun in that time, where the voice gives no times.
fn estimate(played: Duration) -> usize {
    usize::try_from(played.as_millis() / WORD_ESTIMATE.as_millis()).unwrap_or(usize::MAX)
}

fn joined<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str, start: u64, end: u64) -> SpokenWord {
        let ms = Duration::from_millis;
        SpokenWord { text: text.to_owned(), start: ms(start), end: ms(end) }
    }

    #[test]
    fn a_word_counts_once_it_began() {
        let mut playout = Playout::default();
        playout.add_text("Good morning to you.");
        playout.add_words([word("Good", 0, 300), word("morning", 300, 700), word("to", 700, 800)]);
        playout.played = Duration::from_millis(320);
        let heard = playout.heard();
        assert_eq!((heard.text.as_str(), heard.estimated), ("Good morning", false));
    }

    #[test]
    fn words_are_told_once_as_they_begin() {
        let mut playout = Playout::default();
        playout.add_words([word("Good", 0, 300), word("morning", 300, 700), word("to", 700, 800)]);
        let mut told = Vec::new();
        for played in [0, 20, 300, 320, 800] {
            playout.played = Duration::from_millis(played);
            told.push(playout.newly_heard());
        }
        assert_eq!(told, ["", "Good", "", " morning", " to"]);
        assert_eq!(told.concat(), playout.heard().text);
    }

    #[test]
    fn estimated_words_are_told_once_too() {
        let mut playout = Playout::default();
        playout.add_text("One two three");
        let mut told = Vec::new();
        for played in [399, 400, 900, 5_000, 6_000] {
            playout.played = Duration::from_millis(played);
            told.push(playout.newly_heard());
        }
        assert_eq!(told, ["", "One", " two", " three", ""]);
        assert_eq!(told.concat(), playout.heard().text);
    }

    #[test]
    fn without_word_times_the_text_is_estimated() {
        let mut playout = Playout::default();
        playout.add_text("One two three four");
        playout.played = Duration::from_millis(900);
        let heard = playout.heard();
        assert_eq!((heard.text.as_str(), heard.estimated), ("One two", true));
    }

    #[test]
    fn a_complete_answer_is_its_whole_text() {
        let mut playout = Playout::default();
        playout.add_text("One two");
        playout.complete = true;
        assert_eq!(playout.heard().text, "One two");
    }
}
