//! Pass 2, `load`: text into a tree, one file at a time.
//!
//! Edges get their canonical names here, so that base and overlay meet however they are written. A
//! file with a mistake in its syntax gives no tree; one with a name twice gives a tree with the
//! first.

use std::ops::Range;

use indexmap::map;
use toml::de::{DeTable, DeValue};

use super::nesting::{self, MAX_NESTING};
use super::tree::{Reader, Table, Value};
use crate::diagnostic::{Diagnostic, Files, MAX_SHOWN, SourceId, Span, codes};
use crate::graph::EdgeName;

/// The tree of a file; `None` where its text cannot be understood at all.
pub(crate) fn load(files: &Files, source: SourceId) -> (Option<Table>, Vec<Diagnostic>) {
    let text = files.text(source);
    if let Some(excess) = nesting::find_excess(text) {
        let message = format!("tables and arrays are nested deeper than {MAX_NESTING}");
        let found = Diagnostic::new(&codes::NESTED_TOO_DEEP, message)
            .label(Span::new(source, excess), "one too many here")
            .help("flatten the value: no option is nested that deep");
        return (None, vec![found]);
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    let told = errors.iter().take(MAX_SHOWN);
    let mut found: Vec<Diagnostic> = told.map(|error| refusal(files, source, error)).collect();
    if found.iter().any(|one| one.code == &codes::SYNTAX) {
        return (None, found);
    }
    let mut reader = Reader { source, too_large: Vec::new() };
    let mut table = reader.table(table.into_inner());
    found.extend(reader.too_large.into_iter().map(too_large));
    found.extend(name_edges(&mut table));
    (Some(table), found)
}

fn refusal(files: &Files, source: SourceId, error: &toml::de::Error) -> Diagnostic {
    let span = Span::new(source, error.span().unwrap_or(0..0));
    let written = files.slice(span);
    let syntax = Diagnostic::new(&codes::SYNTAX, error.message()).label(span, "here");
    match error.message() {
        "duplicate key" => repeated(files, span),
        message if message.contains("must be quoted") => syntax.help(format!("write {written:?}")),
        _ => syntax.help(
            "strings stand in quotes, table headers in brackets, and `=` between key and value",
        ),
    }
}

fn repeated(files: &Files, span: Span) -> Diagnostic {
    let message = format!("the name `{}` is given twice", files.slice(span));
    let found = Diagnostic::new(&codes::DUPLICATE_KEY, message)
        .label(span, "again here")
        .help("remove one of the two, or give it another name");
    match first_of(files.text(span.source), span) {
        Some(first) => found.label(Span::new(span.source, first), "first here"),
        None => found,
    }
}

/// Where the name at `span` was given first. The parser does not tell; so the name is put out of
/// the way, and the table in which it then stands has the other.
fn first_of(text: &str, span: Span) -> Option<Range<usize>> {
    const ELSEWHERE: &str = "out-of-the-way-of-the-first";
    let name = text.get(span.range())?;
    let name = DeTable::parse(&format!("{name} = 0")).ok()?.get_ref().keys().next()?.to_string();
    let moved = format!("{}{ELSEWHERE}{}", text.get(..span.start)?, text.get(span.end..)?);
    let (table, _) = DeTable::parse_recoverable(&moved);
    let first = beside(table.get_ref(), ELSEWHERE, &name)?;
    (first.end <= span.start).then_some(first)
}

/// The place of `name` in the table that also has `other`.
fn beside(table: &DeTable<'_>, other: &str, name: &str) -> Option<Range<usize>> {
    if table.contains_key(other) {
        return table.get_key_value(name).map(|(key, _)| key.span());
    }
    table.values().find_map(|value| beside_in(value.get_ref(), other, name))
}

fn beside_in(value: &DeValue<'_>, other: &str, name: &str) -> Option<Range<usize>> {
    match value {
        DeValue::Table(table) => beside(table, other, name),
        DeValue::Array(items) => {
            items.iter().find_map(|item| beside_in(item.get_ref(), other, name))
        }
        _ => None,
    }
}

fn too_large(span: Span) -> Diagnostic {
    Diagnostic::new(&codes::SYNTAX, "the integer does not fit into 64 bits")
        .label(span, "too large")
        .help("write a number from -9223372036854775808 to 9223372036854775807")
}

/// Writes the edges' keys in their canonical form. A key that is no edge stays as it is, to be told
/// of by `parse`.
fn name_edges(table: &mut Table) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let Some(entry) = table.get_mut("edges") else { return found };
    let Value::Table(edges) = &mut entry.tree.value else { return found };
    let mut named = Table::with_capacity(edges.len());
    for (written, edge) in std::mem::take(edges) {
        let name = match written.parse::<EdgeName>() {
            Ok(name) => name.to_string(),
            Err(_) => written,
        };
        match named.entry(name) {
            map::Entry::Vacant(free) => {
                free.insert(edge);
            }
            map::Entry::Occupied(taken) => {
                let message = format!("the edge `{}` is written twice", taken.key());
                let repeated = Diagnostic::new(&codes::REPEATED_EDGE, message)
                    .label(edge.key, "again here")
                    .label(taken.get().key, "first here")
                    .help("keep one of the two; blanks around the arrow make no difference");
                found.push(repeated);
            }
        }
    }
    *edges = named;
    found
}
