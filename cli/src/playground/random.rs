//! Names that nobody has used before, and keys that nobody guesses.

use std::fmt::Write as _;
use std::hash::{BuildHasher, RandomState};

/// Hexadecimal digits from the operating system's randomness: 16 for each of `words`.
pub(super) fn hex(words: usize) -> String {
    (0..words).fold(String::new(), |mut text, word| {
        let number = RandomState::new().hash_one(word);
        write!(text, "{number:016x}").expect("a string takes all");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_the_same() {
        let (one, other) = (hex(2), hex(2));
        assert_eq!((one.len(), other.len()), (32, 32));
        assert_ne!(one, other);
        assert_ne!(one[..16], one[16..]);
    }
}
