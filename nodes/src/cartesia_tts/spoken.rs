//! What of a context's text was voiced, so that a broken context can be taken up where it stopped.
//!
//! Words come with their times, before or after their sound. Each is found again in the text that
//! was sent; a word counts as voiced once its sound is in hand to its end. Where the provider gives
//! no times, the place is estimated by the pace of speech, down to the end of a chunk: better said
//! twice than lost.

use std::collections::VecDeque;
use std::time::Duration;

use voicegraph_engine::turn::SpokenWord;

use super::chunk::is_speakable;

/// The pace at which words are counted where the voice gives no times: 2.5 words a second, the
/// middle of the 140 to 160 words a minute of conversational English.
const WORD_ESTIMATE: Duration = Duration::from_millis(400);

/// How far ahead a word is looked for, in words, beyond those that were not found. Numbers and
/// dates are told as spoken ("$5": "five dollars"), so that some words are not in the text.
const LOOK_AHEAD: usize = 4;

/// The text of one context, and the words that are known of it.
#[derive(Debug, Default)]
pub(super) struct Spoken {
    text: String,
    chunk_ends: Vec<usize>,
    /// Words whose sound is not in hand yet.
    ahead: VecDeque<Placed>,
    /// The end of the last word found in the text.
    found: usize,
    /// Words since then that were not found.
    unfound: usize,
    voiced: Option<Voiced>,
    timed: bool,
    /// The end of the text that was sent before the last sound came.
    answered: usize,
}

/// A word, and where the text goes on behind it.
#[derive(Debug)]
struct Placed {
    word: SpokenWord,
    end: usize,
}

/// The last word whose sound is in hand.
#[derive(Clone, Copy, Debug)]
struct Voiced {
    at: Duration,
    end: usize,
}

/// Where to take up a context that broke off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Resume {
    /// The text that is still to be spoken.
    pub(super) text: String,
    /// Where the sound in hand is to be cut, counted from the context's start.
    pub(super) cut: Duration,
}

impl Spoken {
    /// Appends text as it is sent.
    pub(super) fn send(&mut self, chunk: &str) {
        self.text.push_str(chunk);
        self.chunk_ends.push(self.text.len());
    }

    /// Notes words with their times, counted from the context's start.
    pub(super) fn time(&mut self, words: Vec<SpokenWord>) {
        self.timed |= !words.is_empty();
        for word in words {
            let end = self.place(&word.text);
            self.ahead.push_back(Placed { word, end });
        }
    }

    /// The words that are voiced now that `received` of the sound is in hand.
    pub(super) fn voice(&mut self, received: Duration) -> Vec<SpokenWord> {
        let mut words = Vec::new();
        while let Some(placed) = self.ahead.pop_front_if(|placed| placed.word.end <= received) {
            self.voiced = Some(Voiced { at: placed.word.end, end: placed.end });
            words.push(placed.word);
        }
        words
    }

    /// Notes that sound came.
    pub(super) fn answer(&mut self) {
        self.answered = self.text.len();
    }

    /// The text that a context may have missed which ended of itself: what has no word times, or,
    /// where there are none at all, what was sent after the last sound.
    pub(super) fn missed(&self) -> &str {
        match self.voiced {
            Some(voiced) => &self.text[voiced.end..],
            None => &self.text[self.answered..],
        }
    }

    /// Whether all that can be said was voiced, as far as word times tell.
    pub(super) fn is_voiced(&self) -> bool {
        let end = self.voiced.map_or(0, |voiced| voiced.end);
        self.ahead.is_empty() && !is_speakable(&self.text[end..])
    }

    /// Where to go on, if the context breaks off with `received` of its sound in hand.
    pub(super) fn resume(&self, received: Duration) -> Resume {
        if !self.timed {
            let text = self.text[self.estimate(received)..].to_owned();
            return Resume { text, cut: received };
        }
        let Voiced { at, end } = self.voiced.unwrap_or(Voiced { at: Duration::ZERO, end: 0 });
        let cut = self.ahead.front().map_or(at, |next| next.word.start.max(at));
        Resume { text: self.text[end..].to_owned(), cut }
    }

    /// The end of the last chunk that is complete, by the pace of speech: the next has begun.
    fn estimate(&self, received: Duration) -> usize {
        let count = received.as_millis() / WORD_ESTIMATE.as_millis();
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let said = words_end(&self.text, count);
        self.chunk_ends.iter().copied().rfind(|end| *end <= said).unwrap_or(0)
    }

    /// Finds the next word in the text and gives the place behind it.
    fn place(&mut self, word: &str) -> usize {
        let rest = &self.text[self.found..];
        let key = word.trim_matches(|c: char| !c.is_alphanumeric());
        match find(rest, key, self.unfound + LOOK_AHEAD) {
            Some(end) => {
                self.found += end;
                self.unfound = 0;
                self.found
            }
            None => {
                self.unfound += 1;
                self.found + words_end(rest, self.unfound)
            }
        }
    }
}

/// The end of `word` in the first `within` words of `text`, with the marks that follow it. Scripts
/// without blanks are read from the start.
fn find(text: &str, word: &str, within: usize) -> Option<usize> {
    if word.is_empty() {
        return None;
    }
    let skipped = text.len() - text.trim_start_matches(|c: char| !c.is_alphanumeric()).len();
    let window = &text[..words_end(text, within)];
    let next = text[skipped..].starts_with(word).then_some(skipped);
    let parted = |at: &usize| {
        let before = window[..*at].chars().next_back();
        let after = window[at + word.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    };
    let found = || window.match_indices(word).map(|(at, _)| at).find(parted);
    let end = next.or_else(found)? + word.len();
    let marks = text[end..].find(|c: char| c.is_alphanumeric() || c.is_whitespace());
    Some(marks.map_or(text.len(), |marks| end + marks))
}

/// The end of the first `count` words of `text`, where words are parted by blanks.
fn words_end(text: &str, count: usize) -> usize {
    let (mut at, mut end, mut words) = (0, 0, 0);
    for piece in text.split_inclusive(char::is_whitespace) {
        if words == count {
            break;
        }
        let word = piece.trim_end();
        if !word.is_empty() {
            (end, words) = (at + word.len(), words + 1);
        }
        at += piece.len();
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// A context with `text`, and `words` of 100 ms each.
    fn spoken(text: &str, words: &[&str]) -> Spoken {
        let mut spoken = Spoken::default();
        spoken.send(text);
        let timed = words.iter().zip(0..).map(|(word, at)| SpokenWord {
            text: (*word).to_owned(),
            start: ms(at * 100),
            end: ms(at * 100 + 90),
        });
        spoken.time(timed.collect());
        spoken
    }

    fn check(text: &str, words: &[&str], received: u64, rest: &str, cut: u64) {
        let mut spoken = spoken(text, words);
        spoken.voice(ms(received));
        let expected = Resume { text: rest.to_owned(), cut: ms(cut) };
        assert_eq!(spoken.resume(ms(received)), expected, "{text:?} {words:?} {received}");
    }

    #[test]
    fn goes_on_behind_the_last_whole_word() {
        let words = ["You", "are", "booked."];
        check("You are booked. Bye.", &words, 0, "You are booked. Bye.", 0);
        check("You are booked. Bye.", &words, 150, " are booked. Bye.", 100);
        check("You are booked. Bye.", &words, 195, " booked. Bye.", 200);
        check("You are booked. Bye.", &words, 400, " Bye.", 290);
    }

    #[test]
    fn words_are_found_again_in_the_text() {
        check("\"Well-known,\" he said.", &["Well", "known"], 300, " he said.", 190);
        check("that a cat at", &["that", "a", "cat"], 300, " at", 290);
        check("你好。再见", &["你", "好"], 300, "再见", 190);
    }

    #[test]
    fn words_told_otherwise_are_passed_over() {
        let words = ["It", "costs", "five", "dollars", "today"];
        check("It costs $5 today only.", &words, 300, " today only.", 300);
        check("It costs $5 today only.", &words, 600, " only.", 490);
    }

    #[test]
    fn without_times_whole_chunks_are_estimated() {
        let mut spoken = Spoken::default();
        spoken.send("One two. ");
        spoken.send("Three four. ");
        let rest = |received| spoken.resume(ms(received)).text;
        assert_eq!(rest(0), "One two. Three four. ");
        assert_eq!(rest(700), "One two. Three four. ");
        assert_eq!(rest(1300), "Three four. ");
        assert_eq!(rest(9999), "Three four. ");
    }

    #[test]
    fn a_word_is_told_once_its_sound_is_in_hand() {
        let mut spoken = spoken("One two", &["One", "two"]);
        let texts =
            |words: Vec<SpokenWord>| words.into_iter().map(|word| word.text).collect::<Vec<_>>();
        assert_eq!(texts(spoken.voice(ms(89))), Vec::<String>::new());
        assert_eq!(texts(spoken.voice(ms(90))), ["One"]);
        assert!(!spoken.is_voiced());
        assert_eq!(texts(spoken.voice(ms(500))), ["two"]);
        assert!(spoken.is_voiced());
    }
}
