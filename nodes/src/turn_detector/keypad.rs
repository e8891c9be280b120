//! Keys of the telephone until they are a number. Pure: every instant is an argument.

use std::time::Duration;

use tokio::time::Instant;

/// The key that says that the number is complete. Pressed alone it stands for itself.
const END: char = '#';

/// How many keys one number may have; the next one begins another. More than a card's number has.
const MAX_KEYS: usize = 64;

/// The keys that were pressed and are no number yet.
#[derive(Debug)]
pub(super) struct Keypad {
    timeout: Duration,
    keys: String,
    last: Option<Instant>,
}

/// A number as the agent is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Number {
    /// `[keypad: 123]`.
    pub(super) text: String,
    /// When its last key was pressed.
    pub(super) at: Instant,
}

impl Keypad {
    /// Keys of which the last is followed by no other for `timeout`, at the longest.
    pub(super) fn new(timeout: Duration) -> Self {
        Self { timeout, keys: String::new(), last: None }
    }

    /// Takes `key`, pressed at `at`; gives the number that it completes.
    pub(super) fn press(&mut self, key: char, at: Instant) -> Option<Number> {
        self.last = Some(at);
        let ends = key == END;
        if !ends || self.keys.is_empty() {
            self.keys.push(key);
        }
        if ends || self.keys.len() >= MAX_KEYS { self.take() } else { None }
    }

    /// When the keys so far are a number, if no other is pressed.
    pub(super) fn due(&self) -> Option<Instant> {
        self.last.map(|last| last + self.timeout)
    }

    /// The keys so far as a number; `None` where there are none.
    pub(super) fn take(&mut self) -> Option<Number> {
        let at = self.last.take()?;
        let keys = std::mem::take(&mut self.keys);
        Some(Number { text: format!("[keypad: {keys}]"), at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Presses the keys at once; the numbers that they complete, and what is left.
    fn check(keys: &str, complete: &[&str], left: Option<&str>) {
        let at = Instant::now();
        let mut keypad = Keypad::new(Duration::from_secs(2));
        let numbers: Vec<_> = keys.chars().filter_map(|key| keypad.press(key, at)).collect();
        let texts: Vec<_> = numbers.iter().map(|number| number.text.as_str()).collect();
        assert_eq!(texts, complete, "{keys}");
        assert_eq!(keypad.due(), left.map(|_| at + Duration::from_secs(2)));
        assert_eq!(keypad.take().map(|number| number.text).as_deref(), left);
        assert_eq!(keypad.due(), None);
    }

    #[test]
    fn a_hash_ends_a_number() {
        check("123#", &["[keypad: 123]"], None);
        check("1#2", &["[keypad: 1]"], Some("[keypad: 2]"));
        check("", &[], None);
        check("*A", &[], Some("[keypad: *A]"));
    }

    #[test]
    fn a_hash_alone_stands_for_itself() {
        check("#", &["[keypad: #]"], None);
        check("##", &["[keypad: #]", "[keypad: #]"], None);
    }

    #[test]
    fn a_number_is_bounded_and_no_key_is_lost() {
        let full = format!("[keypad: {}]", "7".repeat(MAX_KEYS));
        check(&"7".repeat(MAX_KEYS + 1), &[&full], Some("[keypad: 7]"));
    }
}
