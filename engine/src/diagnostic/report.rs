//! One diagnostic, and all the diagnostics of one compilation.

use super::codes::{Code, Severity};
use super::source::{Files, SourceId, Span};

/// How many diagnostics a report keeps. Who has made more mistakes fixes these first.
pub const MAX_SHOWN: usize = 100;

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its entry in the catalogue.
    pub code: &'static Code,
    /// What is wrong, with the value that is.
    pub message: String,
    /// Where: the first is the mistake, the others are what it has to do with.
    pub labels: Vec<Label>,
    /// What to write instead.
    pub help: Option<String>,
}

/// A place in a file, and what is to be seen there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is to be seen there.
    pub text: String,
}

/// All the mistakes of one compilation, with the files that they are in.
#[derive(Clone, Debug)]
pub struct Diagnostics {
    files: Files,
    list: Vec<Diagnostic>,
    left_out: usize,
}

impl Diagnostic {
    /// A mistake without a place.
    pub fn new(code: &'static Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), labels: Vec::new(), help: None }
    }

    /// The same, with a place.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// The same, with what to write instead.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// Whether it refuses the pipeline or only warns.
    pub fn severity(&self) -> Severity {
        self.code.severity
    }

    /// By file and position, then by code, then by words.
    fn key(&self) -> (Option<(SourceId, usize)>, &'static str, &str) {
        let place = self.labels.first().map(|label| (label.span.source, label.span.start));
        (place, self.code.id, &self.message)
    }
}

impl Diagnostics {
    /// Sorts by file, position and code, drops repetitions, and keeps the first [`MAX_SHOWN`].
    pub fn new(files: Files, mut list: Vec<Diagnostic>) -> Self {
        list.sort_by(|one, other| one.key().cmp(&other.key()));
        list.dedup_by(|one, other| one.key() == other.key());
        let left_out = list.len().saturating_sub(MAX_SHOWN);
        list.truncate(MAX_SHOWN);
        Self { files, list, left_out }
    }

    /// Both, where they are of the same files.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.list.extend(other.list);
        let both = Self::new(self.files, self.list);
        Self { left_out: both.left_out + self.left_out + other.left_out, ..both }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether one of them refuses the pipeline.
    pub fn has_errors(&self) -> bool {
        self.iter().any(|diagnostic| diagnostic.severity() == Severity::Error)
    }

    /// Each of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter()
    }

    /// The files that the labels point into.
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// How many were found beyond [`MAX_SHOWN`].
    pub fn left_out(&self) -> usize {
        self.left_out
    }
}

/// The plain text, as [`Diagnostics::to_text`] without colour.
impl std::fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to_text(false))
    }
}

impl std::error::Error for Diagnostics {}

#[cfg(test)]
mod tests {
    use super::super::codes;
    use super::*;

    #[test]
    fn reports_are_sorted_and_say_nothing_twice() {
        let mut files = Files::default();
        let base = files.add("pipeline.toml", "abc");
        let overlay = files.add("staging.toml", "abc");
        let at = |source, start, message: &str| {
            let span = Span::new(source, start..start + 1);
            Diagnostic::new(&codes::SYNTAX, message).label(span, "here")
        };
        let list = vec![
            at(overlay, 0, "third"),
            at(base, 1, "second"),
            at(base, 0, "first"),
            at(base, 1, "second"),
            Diagnostic::new(&codes::UNREADABLE, "nowhere"),
        ];
        let report = Diagnostics::new(files, list);
        let messages: Vec<&str> = report.iter().map(|one| one.message.as_str()).collect();
        assert_eq!(messages, ["nowhere", "first", "second", "third"]);
        assert!(report.has_errors());
    }

    #[test]
    fn what_is_left_out_is_counted() {
        let one = |number| Diagnostic::new(&codes::SYNTAX, format!("{number:04}"));
        let report = Diagnostics::new(Files::default(), (0..MAX_SHOWN + 5).map(one).collect());
        assert_eq!((report.iter().count(), report.left_out()), (MAX_SHOWN, 5));
        assert!(report.to_text(false).ends_with("and 5 more\n"));
        assert_eq!(report.to_json()["left_out"], 5);
    }
}
