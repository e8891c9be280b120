//! Pass 2, `load`: text into a tree, one file at a time.
//!
//! Edges get their canonical names here, so that base and overlay meet however they are written. A
//! file with a mistake in its syntax gives no tree; one with a name twice gives a tree with the first.

use indexmap::map;
use toml::de::DeTable;

use super::nesting::{self, MAX_NESTING};
use super::tree::{Reader, Table, Value};
use crate::diagnostic::{Diagnostic, Files, SourceId, Span, codes};
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
    let mut found: Vec<Diagnostic> = errors.iter().map(|error| refusal(source, error)).collect();
    if found.iter().any(|one| one.code == &codes::SYNTAX) {
        return (None, found);
    }
    let mut reader = Reader { source, too_large: Vec::new() };
    let mut table = reader.table(table.into_inner());
    found.extend(reader.too_large.into_iter().map(too_large));
    found.extend(name_edges(&mut table));
    (Some(table), found)
}

fn refusal(source: SourceId, error: &toml::de::Error) -> Diagnostic {
    let span = Span::new(source, error.span().unwrap_or(0..0));
    match error.message() {
        "duplicate key" => Diagnostic::new(&codes::DUPLICATE_KEY, "this name is given twice")
            .label(span, "given before in this file")
            .help("remove one of the two, or give it another name"),
        message => Diagnostic::new(&codes::SYNTAX, message).label(span, "here").help(
            "strings stand in quotes, table headers in brackets, and `=` between key and value",
        ),
    }
}

fn too_large(span: Span) -> Diagnostic {
    Diagnostic::new(&codes::SYNTAX, "the integer does not fit into 64 bits")
        .label(span, "too large")
        .help("write a number from -9223372036854775808 to 9223372036854775807")
}

/// Writes the edges' keys in their canonical form. A key that is no edge stays as it is, to be told of
/// by `parse`.
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
