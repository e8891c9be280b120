//! Graphviz.

use std::fmt::Write;

use super::{Part, bounds, is_call};
use crate::graph::{Graph, GraphEdge, GraphNode};

/// The graph in the language of `dot`.
pub fn dot(graph: &Graph) -> String {
    let mut text = format!("digraph {} {{\n", quoted(graph.name()));
    text.push_str("  rankdir=LR;\n");
    text.push_str("  node [shape=box, style=\"rounded,filled\", fontname=\"sans-serif\"];\n");
    text.push_str("  edge [fontname=\"sans-serif\", fontsize=10];\n");
    for node in graph.nodes() {
        text.push_str(&node_line(node));
    }
    for edge in graph.edges() {
        text.push_str(&edge_line(graph, edge));
    }
    text.push_str("}\n");
    text
}

fn node_line(node: &GraphNode) -> String {
    let label = if &*node.name == node.kind {
        quoted(&node.name)
    } else {
        quoted(&format!("{}\n{}", node.name, node.kind))
    };
    let (fill, line) = Part::of(node).colours();
    format!(
        "  {} [label={label}, fillcolor={}, color={}];\n",
        quoted(&node.name),
        quoted(fill),
        quoted(line)
    )
}

fn edge_line(graph: &Graph, edge: &GraphEdge) -> String {
    let (from, to) = (&graph.nodes()[edge.from].name, &graph.nodes()[edge.to].name);
    let mut line = format!(
        "  {} -> {} [id={}, label={}, taillabel={}, headlabel={}",
        quoted(from),
        quoted(to),
        quoted(&edge.name),
        quoted(&bounds(edge)),
        quoted(edge.output),
        quoted(edge.input)
    );
    if is_call(edge) {
        line.push_str(", style=dashed");
    }
    line.push_str("];\n");
    line
}

/// A string in quotes, as `dot` reads it.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for char in text.chars() {
        match char {
            '"' | '\\' => write!(quoted, "\\{char}"),
            '\n' => write!(quoted, "\\n"),
            _ => write!(quoted, "{char}"),
        }
        .expect("a String takes all that is written");
    }
    quoted.push('"');
    quoted
}
