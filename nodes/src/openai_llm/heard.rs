//! How far into the generated text the caller has heard. Pure.
//!
//! The voice reports words, with its own blanks and not always with the punctuation; the history
//! needs the text as it was generated. So letters and digits are counted on both sides: they are
//! what voices keep.

/// How many letters and digits a text holds.
pub(super) fn letters(text: &str) -> usize {
    text.chars().filter(|c| c.is_alphanumeric()).count()
}

/// The part of `generated` that holds its first `count` letters, with the punctuation that follows
/// them up to a blank.
pub(super) fn prefix(generated: &str, count: usize) -> &str {
    if count == 0 {
        return "";
    }
    let mut seen = 0;
    for (at, c) in generated.char_indices() {
        if seen == count && (c.is_alphanumeric() || c.is_whitespace()) {
            return &generated[..at];
        }
        seen += usize::from(c.is_alphanumeric());
    }
    generated.trim_end()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_prefix_keeps_punctuation_and_blanks() {
        for (generated, heard, expected) in [
            ("Good morning, how are you?", "Good morning,", "Good morning,"),
            ("Good morning, how are you?", "Good morning", "Good morning,"),
            ("Good  morning,\nhow are you?", "Good morning, how", "Good  morning,\nhow"),
            ("Good morning, how are you?", "", ""),
            ("Yes. ", "Yes.", "Yes."),
            ("At 3:30 pm – fine?", "At 3:30", "At 3:30"),
            ("It's \"fine\", really", "It's \"fine\",", "It's \"fine\","),
            ("您好，請問您要預約嗎？", "您好", "您好，"),
            ("Grüß Gott, Frau Öz!", "Grüß Gott,", "Grüß Gott,"),
            ("One two", "One two three four", "One two"),
        ] {
            assert_eq!(prefix(generated, letters(heard)), expected, "{generated:?} {heard:?}");
        }
    }

    proptest! {
        #[test]
        fn any_number_of_words_comes_back(
            words in prop::collection::vec("[a-zäß0-9]{1,6}[,.!?]{0,2}", 1..20),
            blanks in prop::sample::select(vec![" ", "  ", "\n"]),
            count in any::<prop::sample::Index>(),
        ) {
            let generated = words.join(blanks);
            let count = count.index(words.len() + 1);
            let heard = words[..count].join(" ");
            prop_assert_eq!(prefix(&generated, letters(&heard)), words[..count].join(blanks));
        }

        #[test]
        fn the_result_is_always_a_prefix(generated in ".{0,40}", count in 0_usize..50) {
            prop_assert!(generated.starts_with(prefix(&generated, count)));
        }
    }
}
