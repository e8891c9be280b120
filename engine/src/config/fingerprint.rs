//! The fingerprint: a SHA-256 that is the same for the same pipeline, however it is written.
//!
//! Nodes and edges are put in order of their names, options in order of their keys; comments and
//! formatting leave no trace. A secret counts by the names of its variables, so that the
//! fingerprint neither tells it nor changes with it. Options that are not written do not count:
//! their defaults belong to the version of the program.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::options::Rule;
use super::resolve::{Resolved, ResolvedEdge, ResolvedNode, ResolvedVariable};
use super::tree::{Table, Text, Tree, Value};
use crate::variables::Declaration;

/// The fingerprint in hex.
pub(crate) fn fingerprint(name: &str, resolved: &Resolved) -> String {
    let mut lines: Vec<String> = resolved.nodes.iter().map(node_line).collect();
    lines.extend(resolved.edges.iter().map(edge_line));
    lines.extend(resolved.variables.right.iter().map(variable_line));
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

/// A variable without its description, which changes nothing.
fn variable_line(variable: &ResolvedVariable) -> String {
    let Declaration { name, kind, default, max_length, attribute, .. } = &variable.declaration;
    let default = default.as_ref().map(ToString::to_string);
    format!("variable {name} {kind} {default:?} {max_length} {attribute:?}")
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

#[cfg(test)]
mod tests {
    use crate::config::testing::{SECRET, SMALLEST, compile_text, registry};
    use crate::config::{Sources, compile};

    fn fingerprint(text: &str) -> String {
        let compiled = compile_text(text).unwrap_or_else(|found| panic!("{found}"));
        compiled.graph.fingerprint().to_owned()
    }

    #[test]
    fn writing_makes_no_difference() {
        let written_otherwise = r#"
            # The same, otherwise.
            pipeline.name = "smallest"
            [edges]
            "mix.audio->speaker.audio" = { overflow = "block" }
            "mic.audio  ->  mix.audio" = { limit_ms = 1_00 }
            [nodes.mix]
            key = '${KEY:?the key}'
            kind = "mix"
            [nodes]
            speaker.kind = "speaker"
            turn.kind = "turn"
            mic.kind = "mic"
        "#;
        assert_eq!(fingerprint(written_otherwise), fingerprint(SMALLEST));
    }

    #[test]
    fn meaning_makes_a_difference() {
        let former = fingerprint(SMALLEST);
        assert!(former.len() == 64 && former.chars().all(|char| char.is_ascii_hexdigit()));
        for (written, other) in [
            ("limit_ms = 100", "limit_ms = 101"),
            ("speaker.audio\" = {}", "speaker.audio\" = { overflow = \"fail\" }"),
            ("name = \"smallest\"", "name = \"small\""),
            ("key = \"${KEY:?}\"", "key = \"${KEY:?}\", gain = 0.5"),
            ("key = \"${KEY:?}\"", "key = \"${OTHER:-x}\""),
            ("key = \"${KEY:?}\"", "key = \"x\""),
        ] {
            assert!(SMALLEST.contains(written), "{written}");
            assert_ne!(fingerprint(&SMALLEST.replace(written, other)), former, "{other}");
        }
    }

    #[test]
    fn secrets_count_by_name() {
        let with = |value: &str| {
            let sources = Sources::from_text(SMALLEST, None);
            let compiled = compile(&sources, &|_| Some(value.to_owned()), &registry());
            compiled.unwrap_or_else(|found| panic!("{found}")).graph.fingerprint().to_owned()
        };
        assert_eq!(with(SECRET), with("another"));
        let literal = |value| SMALLEST.replace("${KEY:?}", value);
        assert_eq!(fingerprint(&literal("one")), fingerprint(&literal("other")));
    }
}
