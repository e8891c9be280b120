//! When each word of a text is spoken, given when the whole text is: words share the time by their
//! length, with one unit of silence between two.

use std::time::Duration;

/// A word and its place in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Timed {
    /// The word as written, punctuation included.
    pub(crate) word: String,
    /// When it begins.
    pub(crate) start: Duration,
    /// When it ends.
    pub(crate) end: Duration,
}

/// How many units of time `words` take: one per character, and one between two words.
pub(crate) fn units<W: AsRef<str>>(words: &[W]) -> u32 {
    let letters: usize = words.iter().map(|word| word.as_ref().chars().count()).sum();
    (letters + words.len().saturating_sub(1)) as u32
}

/// Spreads `words` over `from..to`; the first begins at `from`, the last ends at `to`.
pub(crate) fn spread(words: &[String], from: Duration, to: Duration) -> Vec<Timed> {
    let total = units(words).max(1);
    let span = to.saturating_sub(from);
    let at = |unit: u32| from + span * unit / total;
    let mut done = 0;
    let timed = words.iter().map(|word| {
        let start = at(done);
        done += word.chars().count() as u32;
        let end = at(done);
        done += 1;
        Timed { word: word.clone(), start, end }
    });
    timed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_share_the_span_by_length() {
        let words = ["to".to_owned(), "be".to_owned()];
        let timed = spread(&words, Duration::from_secs(1), Duration::from_secs(6));
        let times = timed.iter().map(|word| (word.start.as_secs(), word.end.as_secs()));
        let times: Vec<_> = times.collect();
        assert_eq!(times, [(1, 3), (4, 6)]);
    }
}
