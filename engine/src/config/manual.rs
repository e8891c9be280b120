//! The manual of node kinds, written from what `check` itself reads.
//!
//! Ports and defaults come from the kind's signature; options, ranges and docs from its schema. So
//! the manual cannot say anything else than what holds. The form is Markdown that reads well as it
//! is.

use std::fmt::Write;

use serde_json::Value as Json;

use super::options::{self, Field, Rule, TableRule};
use crate::node::NodeKind;
use crate::registry::Registry;
use crate::signature::{Arity, PortSpec, Role, Signature};

/// The width to which text is wrapped, in columns.
const WIDTH: usize = 96;

/// Every kind with one line on what it does.
pub fn index(registry: &Registry) -> String {
    let widest = registry.kinds().map(|kind| kind.name().len()).max().unwrap_or(0);
    let lines = registry.kinds().map(|kind| {
        let indent = widest + 2;
        let summary = wrap(kind.summary(), indent);
        format!("{:indent$}{}\n", kind.name(), summary.trim_start())
    });
    lines.collect()
}

/// All about one kind: summary, ports and options.
pub fn entry(kind: &dyn NodeKind) -> String {
    let signature = kind.signature();
    let mut text = format!("# {}\n\n{}\n", kind.name(), wrap(kind.summary(), 0));
    if let Some(part) = part(signature.role) {
        text.push_str(&format!("\n{part}\n"));
    }
    ports(&mut text, "Inputs", &signature.inputs, true);
    ports(&mut text, "Outputs", &signature.outputs, false);
    text.push_str("\n## Options\n");
    match options::rule_of(kind.options().as_value()) {
        Rule::Table(table) if !table.fields.is_empty() => fields(&mut text, &table, ""),
        _ => text.push_str("\nNone.\n"),
    }
    text.push_str(&format!("\n## Example\n\n{}", example(kind, &signature)));
    text
}

fn part(role: Role) -> Option<&'static str> {
    match role {
        Role::Stage => None,
        Role::Source => Some("Takes the caller's audio: each pipeline has one such node."),
        Role::Sink => {
            Some("Gives the agent's audio to the caller: each pipeline has one such node.")
        }
        Role::TurnControl => Some("Begins and interrupts turns: each pipeline has one such node."),
    }
}

fn ports(text: &mut String, title: &str, ports: &[PortSpec], are_inputs: bool) {
    text.push_str(&format!("\n## {title}\n"));
    if ports.is_empty() {
        text.push_str("\nNone.\n");
    }
    for port in ports {
        let need = if port.required { "required" } else { "optional" };
        let arity = match (are_inputs, port.arity) {
            (true, Arity::One) => ", one edge",
            (true, Arity::Many) => ", any number of edges",
            (false, _) => "",
        };
        let defaults = match are_inputs {
            true => format!("; an edge holds {} by default, then `{}`", held(port), port.overflow),
            false => String::new(),
        };
        let line = format!("`{}`: {}, {need}{arity}{defaults}", port.name, port.payload);
        text.push_str(&format!("\n{}\n{}\n", wrap(&line, 0), wrap(port.doc, 4)));
    }
}

fn held(port: &PortSpec) -> String {
    match port.payload.has_duration() {
        true => port.limit.to_string(),
        false => format!("{} messages", port.limit),
    }
}

fn fields(text: &mut String, table: &TableRule, path: &str) {
    for (name, field) in &table.fields {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let line = format!("`{path}`: {}, {}", options::describe(&field.rule), need(field));
        text.push_str(&format!("\n{}\n", wrap(&line, 0)));
        for paragraph in field.doc.split("\n\n").filter(|paragraph| !paragraph.is_empty()) {
            text.push_str(&format!("{}\n", wrap(paragraph, 4)));
        }
        nested(text, &field.rule, &path);
    }
}

/// The options within an option.
fn nested(text: &mut String, rule: &Rule, path: &str) {
    match rule {
        Rule::Table(table) => {
            fields(text, table, path);
            if let Some(others) = &table.others {
                nested(text, others, &format!("{path}.NAME"));
            }
        }
        Rule::List { items, .. } => nested(text, items, &format!("{path}[]")),
        Rule::OneOf(rules) => rules.iter().for_each(|rule| nested(text, rule, path)),
        _ => {}
    }
}

fn need(field: &Field) -> String {
    match &field.default {
        _ if field.required => "required".to_owned(),
        None => "optional".to_owned(),
        Some(Json::String(text)) => format!("default {text:?}"),
        Some(default) => format!("default {}", options::shorten(default)),
    }
}

/// The kind as it stands in a pipeline, with all that it needs.
fn example(kind: &dyn NodeKind, signature: &Signature) -> String {
    let mut text = format!("    [nodes.{0}]\n    kind = \"{0}\"\n", kind.name());
    if let Rule::Table(table) = options::rule_of(kind.options().as_value()) {
        for (name, field) in table.fields.iter().filter(|(_, field)| field.required) {
            text.push_str(&format!("    {name} = {}\n", options::example(&field.rule, name)));
        }
    }
    if !signature.inputs.is_empty() || !signature.outputs.is_empty() {
        text.push_str("\n    [edges]\n");
    }
    for input in &signature.inputs {
        text.push_str(&format!("    \"….… -> {}.{}\" = {{}}\n", kind.name(), input.name));
    }
    for output in &signature.outputs {
        text.push_str(&format!("    \"{}.{} -> ….…\" = {{}}\n", kind.name(), output.name));
    }
    text
}

/// Text in lines of at most [`WIDTH`] columns, each begun by `indent` blanks.
fn wrap(text: &str, indent: usize) -> String {
    let mut lines = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        let width = word.chars().count();
        if column > indent && column + 1 + width > WIDTH {
            lines.push('\n');
            column = 0;
        }
        let blanks = if column == 0 { indent } else { 1 };
        write!(lines, "{:blanks$}{word}", "").expect("a String takes all that is written");
        column += blanks + width;
    }
    lines
}

#[cfg(test)]
mod tests {
    use expect_test::{expect, expect_file};

    use super::*;
    use crate::config::testing::registry;

    #[test]
    fn an_entry_tells_all_about_a_kind() {
        let registry = registry();
        let mix = registry.get("mix").expect("it is registered");
        expect_file!["snapshots/mix.md"].assert_eq(&entry(mix));
    }

    #[test]
    fn the_index_has_a_line_for_each_kind() {
        expect![[r#"
            mic      Takes the caller's audio.
            mix      Joins audio in any way.
            speaker  Gives audio to the caller.
            turn     Begins turns.
        "#]]
        .assert_eq(&index(&registry()));
    }

    #[test]
    fn text_is_wrapped_and_indented() {
        let words = "word ".repeat(40);
        let wrapped = wrap(&words, 4);
        assert!(wrapped.lines().all(|line| line.starts_with("    word") && line.len() <= WIDTH));
        assert_eq!(wrapped.split_whitespace().count(), 40);
    }
}
