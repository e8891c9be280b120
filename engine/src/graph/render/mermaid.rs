//! Mermaid, as Markdown pages draw it.

use super::{Part, bounds, is_call};
use crate::graph::{Graph, GraphEdge, GraphNode};

/// The graph as a flow chart. Nodes have numbers for ids, since words like `end` mean something
/// there.
pub fn mermaid(graph: &Graph) -> String {
    let mut text = format!("%% {}, environment {}\n", graph.name(), graph.environment());
    text.push_str("flowchart LR\n");
    for (at, node) in graph.nodes().iter().enumerate() {
        text.push_str(&node_line(at, node));
    }
    for edge in graph.edges() {
        text.push_str(&edge_line(edge));
    }
    for part in Part::ALL {
        let (fill, line) = part.colours();
        let name = part.name();
        text.push_str(&format!("  classDef {name} fill:{fill},stroke:{line},color:#0f172a\n"));
    }
    text
}

fn node_line(at: usize, node: &GraphNode) -> String {
    let kind = match &*node.name == node.kind {
        true => String::new(),
        false => format!("<br/>{}", escaped(node.kind)),
    };
    format!("  n{at}(\"{}{kind}\"):::{}\n", escaped(&node.name), Part::of(node).name())
}

fn edge_line(edge: &GraphEdge) -> String {
    let (from, to) = (edge.from, edge.to);
    let ports = match edge.output == edge.input {
        true => edge.output.to_owned(),
        false => format!("{} -> {}", edge.output, edge.input),
    };
    let label = escaped(&format!("{ports}: {}", bounds(edge)));
    match is_call(edge) {
        true => format!("  n{from} -. \"{label}\" .-> n{to}\n"),
        false => format!("  n{from} -- \"{label}\" --> n{to}\n"),
    }
}

/// Text as Mermaid reads it in quotes.
fn escaped(text: &str) -> String {
    text.replace('#', "#35;").replace('"', "#quot;").replace('<', "#lt;").replace('>', "#gt;")
}
