//! Cuts text as a model's tokenizer does: a word takes the blank before it, punctuation stands
//! alone, numbers come three digits at a time. Joined again, the tokens are the text.

/// Characters of one word in one token; longer words are split, as rare words are.
const WORD_LIMIT: usize = 12;
/// Digits in one token.
const DIGIT_LIMIT: usize = 3;

/// What a character is to the tokenizer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Digit,
    Blank,
    Mark,
}

/// The tokens of `text`.
pub(super) fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (token, tail) = rest.split_at(token_length(rest));
        tokens.push(token);
        rest = tail;
    }
    tokens
}

/// How many tokens `text` has.
pub(super) fn count(text: &str) -> usize {
    tokens(text).len()
}

/// Pieces of about one token each of a text that is no prose, such as JSON.
pub(super) fn fragments(text: &str) -> Vec<&str> {
    let mut fragments = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (fragment, tail) = rest.split_at(rest.floor_char_boundary(6).max(first_length(rest)));
        fragments.push(fragment);
        rest = tail;
    }
    fragments
}

/// Bytes of the first token of a text that is not empty.
fn token_length(text: &str) -> usize {
    let leading = usize::from(text.starts_with(' '));
    let body = &text[leading..];
    let Some(first) = body.chars().next() else { return leading };
    let length = match class(first) {
        Class::Letter => run(body, WORD_LIMIT, is_of_word),
        Class::Digit => run(body, DIGIT_LIMIT, |letter| class(letter) == Class::Digit),
        Class::Blank if leading == 1 => 0,
        Class::Blank | Class::Mark => first.len_utf8(),
    };
    leading + length
}

/// Letters, and the apostrophe of `o'clock`.
fn is_of_word(letter: char) -> bool {
    class(letter) == Class::Letter || letter == '\'' || letter == '’'
}

fn class(letter: char) -> Class {
    match letter {
        _ if letter.is_alphabetic() => Class::Letter,
        _ if letter.is_numeric() => Class::Digit,
        _ if letter.is_whitespace() => Class::Blank,
        _ => Class::Mark,
    }
}

/// Bytes of the first characters that are `inside`, at most `limit` characters.
fn run(text: &str, limit: usize, inside: impl Fn(char) -> bool) -> usize {
    text.chars().take(limit).take_while(|&letter| inside(letter)).map(char::len_utf8).sum()
}

fn first_length(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_take_their_blank_and_marks_stand_alone() {
        let cases: [(&str, &[&str]); 5] = [
            ("Of course. On Tuesday!", &["Of", " course", ".", " On", " Tuesday", "!"]),
            ("ten o'clock", &["ten", " o'clock"]),
            ("call 0123456", &["call", " 012", "345", "6"]),
            ("a  b\n", &["a", " ", " b", "\n"]),
            ("café – ok", &["café", " –", " ok"]),
        ];
        for (text, expected) in cases {
            assert_eq!(tokens(text), expected);
        }
    }

    proptest! {
        #[test]
        fn tokens_joined_are_the_text(text in any::<String>()) {
            prop_assert_eq!(tokens(&text).concat(), text.as_str());
            prop_assert!(tokens(&text).iter().all(|token| !token.is_empty()));
        }

        #[test]
        fn fragments_joined_are_the_text(text in any::<String>()) {
            prop_assert_eq!(fragments(&text).concat(), text.as_str());
        }
    }
}
