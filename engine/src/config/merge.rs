//! Pass 3, `merge`: an overlay laid over its base.
//!
//! Tables merge key by key, values and arrays replace, and `false` in place of a node or an edge
//! removes it. A node that the overlay gives another `kind` starts afresh: options of the former
//! kind mean nothing to the new one. Each value keeps the place that it was written in.

use std::collections::BTreeMap;

use super::suggest;
use super::tree::{Entry, Table, Tree, Value};
use crate::diagnostic::{Diagnostic, Span, codes};

/// What a pipeline is made of after its overlay.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Merged {
    /// The tables.
    pub(crate) table: Table,
    /// Nodes that the overlay removed, and where.
    pub(crate) removed: BTreeMap<String, Span>,
}

/// Lays `overlay` over `base`.
pub(crate) fn merge(mut base: Table, overlay: Option<Table>) -> (Merged, Vec<Diagnostic>) {
    let mut found = Vec::new();
    refuse_removals(&mut base, &mut found);
    let mut removed = BTreeMap::new();
    for (key, entry) in overlay.unwrap_or_default() {
        match key.as_str() {
            "nodes" => lay_section(&mut base, key, entry, |nodes, name, node| {
                if let Some(span) = lay_node(nodes, &name, node, &mut found) {
                    removed.insert(name, span);
                }
            }),
            "edges" => lay_section(&mut base, key, entry, |edges, name, edge| {
                lay_edge(edges, name, edge, &mut found);
            }),
            _ => lay(&mut base, key, entry),
        }
    }
    (Merged { table: base, removed }, found)
}

/// In a base there is nothing that could be removed.
fn refuse_removals(base: &mut Table, found: &mut Vec<Diagnostic>) {
    for (section, one) in [("nodes", "node"), ("edges", "edge")] {
        let Some(entry) = base.get_mut(section) else { continue };
        let Value::Table(entries) = &mut entry.tree.value else { continue };
        entries.retain(|name, entry| {
            let removes = entry.tree.is_false();
            if removes {
                let message = format!("`false` removes the {one} `{name}`, but this is the base");
                let refused = Diagnostic::new(&codes::NOTHING_TO_REMOVE, message)
                    .label(entry.tree.span, "only an overlay removes")
                    .help(format!("leave the {one} out"));
                found.push(refused);
            }
            !removes
        });
    }
}

/// Lays each entry of an overlay's `[nodes]` or `[edges]` by `lay_one`, where both files have a
/// table.
fn lay_section(
    base: &mut Table,
    key: String,
    overlay: Entry,
    mut lay_one: impl FnMut(&mut Table, String, Entry),
) {
    let Value::Table(entries) = overlay.tree.value else {
        base.insert(key, overlay);
        return;
    };
    let empty = Tree { span: overlay.tree.span, value: Value::Table(Table::new()) };
    let section = base.entry(key).or_insert(Entry { key: overlay.key, tree: empty });
    if let Value::Table(section) = &mut section.tree.value {
        for (name, entry) in entries {
            lay_one(section, name, entry);
        }
    }
}

/// Lays one node. Gives the place of the removal, where that is what the overlay asks for.
fn lay_node(
    nodes: &mut Table,
    name: &str,
    overlay: Entry,
    found: &mut Vec<Diagnostic>,
) -> Option<Span> {
    if overlay.tree.is_false() {
        if nodes.shift_remove(name).is_none() {
            found.push(nothing_to_remove("node", name, &overlay, nodes));
        }
        return Some(overlay.key);
    }
    let changes_kind = match (nodes.get(name), &overlay.tree.value) {
        (None, Value::Table(options)) if !options.contains_key("kind") => {
            found.push(overlay_of_nothing(name, &overlay, nodes));
            return None;
        }
        (Some(node), Value::Table(options)) => {
            let former = kind(&node.tree);
            let kind = options.get("kind").and_then(|entry| entry.tree.as_text());
            kind.is_some_and(|kind| Some(kind.text.as_str()) != former)
        }
        _ => false,
    };
    if changes_kind {
        nodes.insert(name.to_owned(), overlay);
    } else {
        lay(nodes, name.to_owned(), overlay);
    }
    None
}

fn kind(node: &Tree) -> Option<&str> {
    match &node.value {
        Value::Table(options) => Some(options.get("kind")?.tree.as_text()?.text.as_str()),
        _ => None,
    }
}

fn lay_edge(edges: &mut Table, name: String, overlay: Entry, found: &mut Vec<Diagnostic>) {
    if !overlay.tree.is_false() {
        lay(edges, name, overlay);
    } else if edges.shift_remove(&name).is_none() {
        found.push(nothing_to_remove("edge", &name, &overlay, edges));
    }
}

/// Lays one entry: tables merge, all else replaces.
fn lay(base: &mut Table, key: String, overlay: Entry) {
    let (former, entry) = match base.get_mut(&key) {
        Some(former) => (former, overlay),
        None => {
            base.insert(key, overlay);
            return;
        }
    };
    match (&mut former.tree.value, entry.tree.value) {
        (Value::Table(table), Value::Table(overlay)) => {
            for (key, entry) in overlay {
                lay(table, key, entry);
            }
        }
        (_, value) => {
            let tree = Tree { span: entry.tree.span, value };
            *former = Entry { key: entry.key, tree };
        }
    }
}

fn nothing_to_remove(one: &str, name: &str, overlay: &Entry, base: &Table) -> Diagnostic {
    let message = format!("the overlay removes the {one} `{name}`, which the base does not have");
    Diagnostic::new(&codes::NOTHING_TO_REMOVE, message)
        .label(overlay.key, format!("no such {one}"))
        .help(suggest::help(name, &format!("the {one}s are"), base.keys().map(String::as_str)))
}

fn overlay_of_nothing(name: &str, overlay: &Entry, base: &Table) -> Diagnostic {
    let message = format!("the overlay changes the node `{name}`, which the base does not have");
    let help = match suggest::closest(name, base.keys().map(String::as_str)) {
        Some(closest) => format!("did you mean `{closest}`? a new node needs a `kind`"),
        None => "a new node needs a `kind`".to_owned(),
    };
    Diagnostic::new(&codes::OVERLAY_OF_NOTHING, message)
        .label(overlay.key, "no such node")
        .help(help)
}
