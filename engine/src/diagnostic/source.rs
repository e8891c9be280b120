//! The files that diagnostics point into: their text, and lines and columns for people.
//!
//! Spans are byte ranges, since that is what the parser gives. Only here do they become lines and
//! columns. A part of a file can be masked: a key that someone wrote into it must not be printed
//! with the line that it stands on.

use std::ops::Range;

/// A file among [`Files`]. The base comes before its overlay, and so do their diagnostics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(u16);

/// A byte range of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub source: SourceId,
    /// The first byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// A place as editors count it: both from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// The texts of one compilation.
#[derive(Clone, Debug, Default)]
pub struct Files {
    files: Vec<File>,
}

#[derive(Clone, Debug)]
struct File {
    name: String,
    text: String,
    masks: Vec<Range<usize>>,
}

impl Span {
    /// The bytes `range` of `source`.
    pub fn new(source: SourceId, range: Range<usize>) -> Self {
        Self { source, start: range.start, end: range.end.max(range.start) }
    }

    /// The span's bytes.
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

impl Files {
    /// Adds a file and says how it is called from now on.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> SourceId {
        let id = u16::try_from(self.files.len()).expect("a pipeline is a base and an overlay");
        self.files.push(File { name: name.into(), text: text.into(), masks: Vec::new() });
        SourceId(id)
    }

    /// The file's name as given to whoever read it.
    pub fn name(&self, source: SourceId) -> &str {
        &self.file(source).name
    }

    /// The file's text. To be parsed, not to be printed: see [`Files::shown`].
    pub fn text(&self, source: SourceId) -> &str {
        &self.file(source).text
    }

    /// The text under a span; empty where the span is none of the file's.
    pub fn slice(&self, span: Span) -> &str {
        self.text(span.source).get(span.range()).unwrap_or_default()
    }

    /// Says that these bytes must never be printed.
    pub fn mask(&mut self, span: Span) {
        self.files[usize::from(span.source.0)].masks.push(span.range());
    }

    /// The text to print: byte for byte as long as the file, with masked parts as `*` and control
    /// characters as blanks.
    pub fn shown(&self, source: SourceId) -> String {
        let file = self.file(source);
        let is_masked = |at: usize| file.masks.iter().any(|mask| mask.contains(&at));
        let mut shown = String::with_capacity(file.text.len());
        for (at, char) in file.text.char_indices() {
            match char {
                '\n' | '\t' => shown.push(char),
                _ if is_masked(at) => shown.extend(std::iter::repeat_n('*', char.len_utf8())),
                _ if char.is_control() => shown.extend(std::iter::repeat_n(' ', char.len_utf8())),
                _ => shown.push(char),
            }
        }
        shown
    }

    /// The line and column of the byte `at`.
    pub fn position(&self, source: SourceId, at: usize) -> Position {
        let text = self.text(source);
        let before = &text[..floor_boundary(text, at)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Position {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    fn file(&self, source: SourceId) -> &File {
        &self.files[usize::from(source.0)]
    }
}

/// The greatest character boundary that is not beyond `at`.
fn floor_boundary(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_count_from_one() {
        let mut files = Files::default();
        let source = files.add("pipeline.toml", "é = 1\nname = \"ü\" # x\n");
        let position = |at| files.position(source, at);
        assert_eq!(position(0), Position { line: 1, column: 1 });
        assert_eq!(position(2), Position { line: 1, column: 2 });
        assert_eq!(position(7), Position { line: 2, column: 1 });
        assert_eq!(position(18), Position { line: 2, column: 11 });
        assert_eq!(position(1), Position { line: 1, column: 1 }, "inside a character");
        assert_eq!(position(999), Position { line: 3, column: 1 }, "past the end");
    }

    #[test]
    fn masked_bytes_are_not_shown_and_keep_their_width() {
        let mut files = Files::default();
        let text = "key = \"geheim-ß\"\r\n";
        let source = files.add("pipeline.toml", text);
        files.mask(Span::new(source, 6..17));
        assert_eq!(files.shown(source), "key = *********** \n");
        assert_eq!(files.shown(source).len(), text.len());
    }
}
