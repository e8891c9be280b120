//! The script's text while it is read: turns byte spans into places, and names into speech.

use std::ops::Range;

use toml::Spanned;

use super::{Files, Place, ScriptError};
use crate::audio::Speech;

/// A script's text and the files beside it.
pub(crate) struct Source<'a> {
    text: &'a str,
    files: &'a dyn Files,
}

impl<'a> Source<'a> {
    /// A text whose WAVs `files` has.
    pub(crate) fn new(text: &'a str, files: &'a dyn Files) -> Self {
        Self { text, files }
    }

    /// What the TOML parser refused.
    pub(crate) fn syntax(&self, error: &toml::de::Error) -> ScriptError {
        let place = self.place(&error.span().unwrap_or(0..0));
        ScriptError::Syntax { place, problem: error.message().to_owned() }
    }

    /// A value at `span` that makes no sense.
    pub(crate) fn wrong(
        &self,
        span: &Range<usize>,
        problem: impl Into<String>,
        help: impl Into<String>,
    ) -> ScriptError {
        ScriptError::Value { place: self.place(span), problem: problem.into(), help: help.into() }
    }

    /// The speech that a script names.
    pub(crate) fn speech(&self, name: &Spanned<String>) -> Result<Speech, ScriptError> {
        let (place, path) = (self.place(&name.span()), name.get_ref().clone());
        match self.files.read(&path) {
            Ok(bytes) => {
                Speech::from_wav(&bytes).map_err(|cause| ScriptError::Speech { place, path, cause })
            }
            Err(cause) => Err(ScriptError::Unreadable { place, path, cause }),
        }
    }

    fn place(&self, span: &Range<usize>) -> Place {
        let before = &self.text[..self.text.floor_char_boundary(span.start)];
        let line = before.rfind('\n').map_or(before, |end| &before[end + 1..]);
        Place { line: before.matches('\n').count() + 1, column: line.chars().count() + 1 }
    }
}
