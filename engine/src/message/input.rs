//! What the caller gives otherwise than by voice: typed text, keys of the telephone, a button.

use std::sync::Arc;

use super::{Payload, PayloadKind};

/// What the caller typed or pressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserInput {
    /// A chat message: a whole turn of the caller's.
    Text(Arc<str>),
    /// A key of the telephone (DTMF): `0` to `9`, `*`, `#`, `A` to `D`.
    Digit(char),
    /// The caller wants the agent to be silent, and says no more for now.
    Interrupt,
}

/// The keys of a telephone.
const KEYS: &str = "0123456789*#ABCD";

/// Why something is no input. What the caller gave is not told: it may be private.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadInput {
    /// The text is empty, or blanks.
    #[error("a text must not be empty")]
    Empty,
    /// The text is too long.
    #[error("a text has at most {max} characters", max = UserInput::MAX_TEXT)]
    TooLong,
    /// There is no such key.
    #[error("a digit is one of 0 to 9, *, # and A to D")]
    NoKey,
}

impl UserInput {
    /// How many characters a text may have: two pages, more than anybody types into a call.
    pub const MAX_TEXT: usize = 4_000;

    /// A text as typed, without the blanks around it.
    ///
    /// # Errors
    /// [`BadInput`]: it is empty or too long.
    pub fn text(typed: &str) -> Result<Self, BadInput> {
        let typed = typed.trim();
        if typed.is_empty() {
            return Err(BadInput::Empty);
        }
        if typed.chars().nth(Self::MAX_TEXT).is_some() {
            return Err(BadInput::TooLong);
        }
        Ok(Self::Text(typed.into()))
    }

    /// A key as pressed; small letters stand for the large ones.
    ///
    /// # Errors
    /// [`BadInput::NoKey`]: no telephone has it.
    pub fn digit(key: char) -> Result<Self, BadInput> {
        let key = key.to_ascii_uppercase();
        if KEYS.contains(key) { Ok(Self::Digit(key)) } else { Err(BadInput::NoKey) }
    }
}

impl Payload for UserInput {
    const KIND: PayloadKind = PayloadKind::UserInput;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_trimmed_and_bounded() {
        assert_eq!(UserInput::text("  at two \n"), Ok(UserInput::Text("at two".into())));
        assert_eq!(UserInput::text(" \n"), Err(BadInput::Empty));
        let longest = "é".repeat(UserInput::MAX_TEXT);
        assert!(UserInput::text(&longest).is_ok());
        assert_eq!(UserInput::text(&(longest + "é")), Err(BadInput::TooLong));
    }

    #[test]
    fn a_key_is_one_of_sixteen() {
        for key in KEYS.chars() {
            assert_eq!(UserInput::digit(key), Ok(UserInput::Digit(key)));
        }
        assert_eq!(UserInput::digit('d'), Ok(UserInput::Digit('D')));
        for key in ['E', ' ', '٣', '+'] {
            assert_eq!(UserInput::digit(key), Err(BadInput::NoKey), "{key}");
        }
    }
}
