//! Text as it sounds: letters and digits in lower case with one blank between words, so that case,
//! blanks and punctuation make no difference. Blanks themselves do: the provider joins transcripts
//! literally, and a client that loses a blank must be heard to.

/// A text in its spoken form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Key {
    letters: Vec<char>,
    /// For each letter, the end of what was read when it was made, in bytes of the text.
    ends: Vec<usize>,
}

impl Key {
    /// The spoken form of `text`, without blanks at its ends.
    pub(super) fn of(text: &str) -> Self {
        let mut key = Self::default();
        let mut is_apart = false;
        for (start, letter) in text.char_indices() {
            if !letter.is_alphanumeric() {
                is_apart |= letter.is_whitespace();
                continue;
            }
            if is_apart && !key.is_empty() {
                key.push(' ', start);
            }
            is_apart = false;
            let end = start + letter.len_utf8();
            letter.to_lowercase().for_each(|lower| key.push(lower, end));
        }
        key
    }

    fn push(&mut self, letter: char, end: usize) {
        self.letters.push(letter);
        self.ends.push(end);
    }

    /// How long it is; the unit in which time is shared among words.
    pub(super) fn len(&self) -> usize {
        self.letters.len()
    }

    /// Whether the text has no letter and no digit.
    pub(super) fn is_empty(&self) -> bool {
        self.letters.is_empty()
    }

    /// Whether it begins with all of `other`.
    pub(super) fn starts_with(&self, other: &Self) -> bool {
        self.letters.starts_with(&other.letters)
    }

    /// The end, in bytes of the text, of its first part that sounds like `other`: `None` unless it
    /// begins with `other` and a new word follows.
    pub(super) fn split_after(&self, other: &Self) -> Option<usize> {
        let is_whole_word = self.letters.get(other.len()).is_none_or(|&letter| letter == ' ');
        let end = self.ends.get(other.len().checked_sub(1)?)?;
        (self.starts_with(other) && is_whole_word).then_some(*end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_punctuation_make_no_difference() {
        assert_eq!(Key::of(" Ten o'clock,  please!").letters, Key::of("ten OCLOCK please").letters);
        assert_eq!(Key::of("A — b").letters, ['a', ' ', 'b']);
        assert!(Key::of(" .!").is_empty());
    }

    #[test]
    fn a_lost_blank_does() {
        assert_ne!(Key::of("Hello.How are you").letters, Key::of("Hello. How are you").letters);
    }

    #[test]
    fn splits_only_between_words() {
        let key = Key::of("Thank you. Goodbye.");
        assert_eq!(key.split_after(&Key::of("thank you")), Some("Thank you".len()));
        assert_eq!(key.split_after(&Key::of("thank y")), None);
        assert_eq!(key.split_after(&Key::of("you")), None);
    }
}
