//! Collects the text of one context until it is worth speaking: a whole clause, a delay that has
//! passed, a flush, or the end.

use std::time::Duration;

use tokio::time::Instant;

/// Text that waits for more.
#[derive(Debug, Default)]
pub(super) struct Gather {
    text: String,
    /// When the waiting text must be spoken at the latest.
    until: Option<Instant>,
}

impl Gather {
    /// Takes `text` that arrived at `now` and gives what is to be spoken at once; all of it where
    /// the client lets the server wait for no time.
    pub(super) fn push(&mut self, text: &str, delay: Duration, now: Instant) -> String {
        self.text.push_str(text);
        let end = if delay.is_zero() { self.text.len() } else { clause_end(&self.text) };
        let clause: String = self.text.drain(..end).collect();
        if !clause.is_empty() {
            self.until = None;
        }
        if self.until.is_none() && !self.text.trim().is_empty() {
            self.until = Some(now + delay);
        }
        clause
    }

    /// When the waiting text is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.until
    }

    /// Gives all that waits.
    pub(super) fn release(&mut self) -> String {
        self.until = None;
        std::mem::take(&mut self.text)
    }
}

/// Bytes up to the last clause that is complete: a mark with a blank after it, or at the end.
fn clause_end(text: &str) -> usize {
    let marks = text.char_indices().filter(|(_, letter)| ".!?;:,。！？".contains(*letter));
    let mut ends = marks.map(|(at, mark)| at + mark.len_utf8());
    let is_end = |end: &usize| text[*end..].chars().next().is_none_or(char::is_whitespace);
    ends.rfind(is_end).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELAY: Duration = Duration::from_millis(200);

    #[tokio::test(start_paused = true)]
    async fn speaks_clauses_and_keeps_the_rest() {
        let (mut gather, now) = (Gather::default(), Instant::now());
        assert_eq!(gather.push("At 3", DELAY, now), "");
        assert_eq!(gather.due(), Some(now + DELAY));
        assert_eq!(gather.push(".5, say", DELAY, now + DELAY / 2), "At 3.5,");
        assert_eq!(gather.due(), Some(now + DELAY * 3 / 2));
        assert_eq!(gather.release(), " say");
        assert_eq!(gather.due(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn without_delay_all_is_spoken_at_once() {
        let mut gather = Gather::default();
        assert_eq!(gather.push("At 3", Duration::ZERO, Instant::now()), "At 3");
        assert_eq!(gather.due(), None);
    }
}
