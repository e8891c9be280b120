//! Diagnostics as text with carets, drawn by miette.
//!
//! The drawing is the same on every machine: 100 columns, no links, colour only when asked for.
//! Each label is cut to its first line. Labels in another file than the first one's follow below.

use std::fmt;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, SourceCode};
use miette::{MietteSpanContents, SourceSpan, SpanContents};

use super::codes::Severity;
use super::report::{Diagnostic, Diagnostics, Label};
use super::source::{Files, SourceId};

/// The width of the drawing, in columns.
const WIDTH: usize = 100;

impl Diagnostics {
    /// The report for people.
    pub fn to_text(&self, colour: bool) -> String {
        let theme = match colour {
            true => GraphicalTheme::unicode(),
            false => GraphicalTheme::unicode_nocolor(),
        };
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_width(WIDTH)
            .with_links(false)
            .with_urls(false)
            .with_break_words(false)
            .with_context_lines(0)
            .with_show_related_as_nested(true);
        let mut text = String::new();
        for diagnostic in self.iter() {
            if !text.is_empty() {
                text.push('\n');
            }
            let drawing = Drawing::of(self.files(), diagnostic);
            handler.render_report(&mut text, &drawing).expect("a String takes all that is written");
        }
        if self.left_out() > 0 {
            text.push_str(&format!("\nand {} more\n", self.left_out()));
        }
        trim_line_ends(&text)
    }
}

fn trim_line_ends(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// What miette draws: the labels of one file, and one drawing more for each further file.
#[derive(Debug)]
struct Drawing {
    code: Option<String>,
    severity: miette::Severity,
    message: String,
    help: Option<String>,
    page: Option<Page>,
    labels: Vec<LabeledSpan>,
    others: Vec<Drawing>,
}

impl Drawing {
    fn of(files: &Files, diagnostic: &Diagnostic) -> Self {
        let severity = match diagnostic.severity() {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        };
        let mut sources: Vec<SourceId> = Vec::new();
        for label in &diagnostic.labels {
            if !sources.contains(&label.span.source) {
                sources.push(label.span.source);
            }
        }
        let first = sources.first().copied();
        let others = sources.iter().skip(1);
        Self {
            code: Some(format!("{}[{}]", diagnostic.severity().name(), diagnostic.code.id)),
            severity,
            message: diagnostic.message.clone(),
            help: diagnostic.help.clone(),
            labels: first.map_or(Vec::new(), |source| labels_in(files, diagnostic, source)),
            page: first.map(|source| Page::of(files, source)),
            others: others.map(|&source| Self::other(files, diagnostic, source)).collect(),
        }
    }

    fn other(files: &Files, diagnostic: &Diagnostic, source: SourceId) -> Self {
        Self {
            code: None,
            severity: miette::Severity::Advice,
            message: format!("see {}", files.name(source)),
            help: None,
            page: Some(Page::of(files, source)),
            labels: labels_in(files, diagnostic, source),
            others: Vec::new(),
        }
    }
}

fn labels_in(files: &Files, diagnostic: &Diagnostic, source: SourceId) -> Vec<LabeledSpan> {
    let labels = diagnostic.labels.iter().filter(|label| label.span.source == source);
    let drawn = labels.enumerate().map(|(index, label)| {
        let text = (!label.text.is_empty()).then(|| label.text.clone());
        let span = first_line(files.text(source), label);
        match index {
            0 => LabeledSpan::new_primary_with_span(text, span),
            _ => LabeledSpan::new_with_span(text, span),
        }
    });
    drawn.collect()
}

/// The part of a label on its first line, on character boundaries. What points past the last line
/// points to that line's end.
fn first_line(text: &str, label: &Label) -> SourceSpan {
    let floor = |at: usize| (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    let last = text.trim_end().len();
    let start = floor(label.span.start.min(last));
    let line_end = text[start..].find(['\n', '\r']).map_or(text.len(), |newline| start + newline);
    let end = floor(label.span.end.clamp(start, line_end));
    (start, end - start).into()
}

impl fmt::Display for Drawing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Drawing {}

impl miette::Diagnostic for Drawing {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.code.as_ref().map(|code| Box::new(code) as _)
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as _)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.page.as_ref().map(|page| page as _)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        Some(Box::new(self.others.iter().map(|other| other as _)))
    }
}

/// A file as miette reads it, its last line ended. miette's own sources count columns in bytes;
/// this one in characters.
#[derive(Debug)]
struct Page {
    name: String,
    text: String,
}

impl Page {
    fn of(files: &Files, source: SourceId) -> Self {
        let mut text = files.shown(source);
        if !text.ends_with('\n') {
            text.push('\n');
        }
        Self { name: files.name(source).to_owned(), text }
    }
}

impl SourceCode for Page {
    /// Whole lines from the span's first to its last.
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        _lines_before: usize,
        _lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let (start, end) = (span.offset(), span.offset() + span.len());
        let before = self.text.get(..start).ok_or(MietteError::OutOfBounds)?;
        let rest = self.text.get(end..).ok_or(MietteError::OutOfBounds)?;
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = rest.find('\n').map_or(self.text.len(), |newline| end + newline + 1);
        let contents = MietteSpanContents::new_named(
            self.name.clone(),
            &self.text.as_bytes()[line_start..line_end],
            (line_start, line_end - line_start).into(),
            before.matches('\n').count(),
            before[line_start..].chars().count(),
            self.text[line_start..line_end].matches('\n').count(),
        );
        Ok(Box::new(contents))
    }
}
