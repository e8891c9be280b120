//! The fingerprint: a SHA-256 that is the same for the same pipeline, however it is written.
//!
//! Nodes and edges are put in order of their names, options in order of their keys; comments and
//! formatting leave no trace. A secret counts by the names of its variables, so that the fingerprint
//! neither tells it nor changes with it. Options that are not written do not count: their defaults
//! belong to the version of the program.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::options::Rule;
use super::resolve::{ResolvedEdge, ResolvedNode};
use super::tree::{Table, Text, Tree, Value};

/// The fingerprint in hex.
pub(crate) fn fingerprint(name: &str, nodes: &[ResolvedNode], edges: &[ResolvedEdge]) -> String {
    let mut lines: Vec<String> = nodes.iter().map(node_line).collect();
    lines.extend(edges.iter().map(edge_line));
    lines.sort();
    let mut hasher = Sha256::new();
    hasher.update(format!("pipeline {name:?}\n"));
    for line in lines {
        hasher.update(line);
        hasher.update("\n");
    }
    hasher.finalize().iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a String takes all that is written");
        hex
    })
}

fn node_line(node: &ResolvedNode) -> String {
    let kind = node.kind.as_ref().map_or("", |kind| kind.name);
    format!("node {} {kind} {}", node.name, node.canonical)
}

fn edge_line(edge: &ResolvedEdge) -> String {
    format!("edge {} {} {}", edge.name, edge.limit, edge.overflow)
}

/// A node's options in one line.
pub(crate) fn canonical(options: &Table, rule: &Rule) -> String {
    let mut line = String::new();
    write_table(&mut line, options, rule);
    line
}

fn write_table(line: &mut String, table: &Table, rule: &Rule) {
    let mut keys: Vec<&String> = table.keys().collect();
    keys.sort();
    line.push('{');
    for key in keys {
        line.push_str(&format!("{key:?}:"));
        write_tree(line, &table[key].tree, below(rule, key));
        line.push(',');
    }
    line.push('}');
}

fn write_tree(line: &mut String, tree: &Tree, rule: &Rule) {
    match (&tree.value, rule) {
        (Value::Table(table), rule) => write_table(line, table, rule),
        (Value::Array(items), rule) => {
            let rule = if let Rule::List { items, .. } = rule { items } else { &Rule::Any };
            line.push('[');
            for item in items {
                write_tree(line, item, rule);
                line.push(',');
            }
            line.push(']');
        }
        (Value::String(text), Rule::Text { secret: true, .. }) => line.push_str(&hidden(text)),
        (Value::String(text), _) => line.push_str(&format!("{:?}", text.text)),
        (Value::Integer(integer), Rule::Number { .. }) => {
            line.push_str(&format!("{:?}", *integer as f64));
        }
        (Value::Integer(integer), _) => line.push_str(&integer.to_string()),
        (Value::Float(float), _) => line.push_str(&format!("{float:?}")),
        (Value::Boolean(boolean), _) => line.push_str(&boolean.to_string()),
        (Value::Datetime(datetime), _) => line.push_str(&datetime.to_string()),
    }
}

/// A secret by name.
fn hidden(text: &Text) -> String {
    match text.variables.as_slice() {
        [] => "***".to_owned(),
        names => names.iter().map(|name| format!("${{{name}}}")).collect(),
    }
}

/// The rule of the option `key`. Among alternatives, the first that has such an option.
fn below<'a>(rule: &'a Rule, key: &str) -> &'a Rule {
    match rule {
        Rule::Table(table) => match (table.fields.get(key), &table.others) {
            (Some(field), _) => &field.rule,
            (None, Some(others)) => others,
            (None, None) => &Rule::Any,
        },
        Rule::OneOf(rules) => {
            let known = |rule: &&Rule| matches!(rule, Rule::Table(t) if t.fields.contains_key(key));
            rules.iter().find(known).map_or(&Rule::Any, |rule| below(rule, key))
        }
        _ => &Rule::Any,
    }
}
