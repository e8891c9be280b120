//! Cuts the answer's text where a listener hears no seam.
//!
//! In come deltas as the language model makes them; out go chunks for the voice. A sentence goes as
//! soon as its end is written: no time is spent on the token after a full stop, save where the stop
//! may be an abbreviation's or a number's. The turn's first chunk may be a clause, since a caller
//! waits for it. The voice joins transcripts literally, so chunks hold every character, blanks too:
//!
//! **Invariant:** the chunks joined are the deltas joined, and each chunk holds something to say.

mod boundary;

use boundary::{clause_end, sentence_end, word_end};

/// When text is long enough to be cut elsewhere than at a sentence's end, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkLimits {
    /// A first chunk may end at a clause mark from this length on.
    pub first_min: usize,
    /// A first chunk without any mark is cut between words at this length.
    pub first_max: usize,
    /// A later chunk may end at a clause mark from this length on.
    pub min: usize,
    /// A later chunk without any mark is cut between words at this length.
    pub max: usize,
}

/// The text of one turn that is not cut yet.
#[derive(Debug)]
pub struct Chunker {
    limits: ChunkLimits,
    held: String,
    begun: bool,
}

impl Chunker {
    /// A chunker for one turn.
    pub fn new(limits: ChunkLimits) -> Self {
        Self { limits, held: String::new(), begun: false }
    }

    /// Appends a delta. [`next_chunk`](Self::next_chunk) then gives the chunks that are complete.
    pub fn push(&mut self, delta: &str) {
        self.held.push_str(delta);
    }

    /// The next complete chunk.
    pub fn next_chunk(&mut self) -> Option<String> {
        let end = self.cut()?;
        self.begun = true;
        let rest = self.held.split_off(end);
        Some(std::mem::replace(&mut self.held, rest))
    }

    /// What is left when the turn's text is complete; may be empty, or hold nothing to say.
    pub fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }

    /// Where the held text is to be cut now.
    fn cut(&self) -> Option<usize> {
        let (min, max) = match self.begun {
            false => (self.limits.first_min, self.limits.first_max),
            true => (self.limits.min, self.limits.max),
        };
        sentence_end(&self.held)
            .or_else(|| clause_end(&self.held, min))
            .or_else(|| word_end(&self.held, max))
    }
}

/// Whether there is anything in `text` that a voice can say.
pub fn is_speakable(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

#[cfg(test)]
mod tests;
