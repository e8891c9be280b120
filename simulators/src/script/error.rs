//! Why a script is refused: where, what is wrong, and what to write instead.

use std::fmt;
use std::io;

use thiserror::Error;

use crate::audio::SpeechError;

/// A place in the script's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "line {}, column {}", self.line, self.column)
    }
}

/// Why a script is refused; follows "failed to read the script: ".
#[derive(Debug, Error)]
pub enum ScriptError {
    /// No TOML, an unknown key, or a value of another type.
    #[error("{place}: {problem}")]
    Syntax {
        /// Where it stands.
        place: Place,
        /// What the parser said, with the keys it would have taken.
        problem: String,
    },
    /// A value that makes no sense.
    #[error("{place}: {problem}; {help}")]
    Value {
        /// Where it stands.
        place: Place,
        /// What is wrong.
        problem: String,
        /// What to write instead.
        help: String,
    },
    /// A WAV file that cannot be read.
    #[error("{place}: `{path}` cannot be read ({cause}); write a path relative to the script")]
    Unreadable {
        /// Where its name stands.
        place: Place,
        /// The name.
        path: String,
        /// What the file system said.
        cause: io::Error,
    },
    /// A file that holds no usable speech.
    #[error("{place}: `{path}` {cause}")]
    Speech {
        /// Where its name stands.
        place: Place,
        /// The name.
        path: String,
        /// What is wrong with it.
        cause: SpeechError,
    },
}
