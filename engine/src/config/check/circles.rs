//! The order of the nodes, or the circles of edges that prevent one.

use crate::config::resolve::{Resolved, ResolvedEdge};
use crate::diagnostic::{Diagnostic, codes};
use crate::graph::order as graph_order;

/// The most edges of a circle that are shown in the file; the message names all.
const MAX_LABELS: usize = 12;

/// The nodes in an order in which each comes after what it reads from.
pub(super) fn order(resolved: &Resolved) -> Result<Vec<usize>, Vec<Diagnostic>> {
    let edges: Vec<_> = resolved.edges.iter().map(|edge| (edge.from, edge.to)).collect();
    graph_order::order(resolved.nodes.len(), &edges).map_err(|circles| {
        let edges = |circle: &Vec<usize>| -> Vec<_> {
            circle.iter().map(|&at| &resolved.edges[at]).collect()
        };
        circles.iter().map(|circle| describe(&edges(circle))).collect()
    })
}

fn describe(circle: &[&ResolvedEdge]) -> Diagnostic {
    let path: Vec<String> = circle.iter().map(|edge| edge.name.to_string()).collect();
    let message = format!("the edges lead in a circle: {}", path.join(", "));
    let found = Diagnostic::new(&codes::CYCLE, message).help(
        "remove one of these edges: a tool's result comes back with its call, without an edge",
    );
    let count = circle.len();
    circle.iter().take(MAX_LABELS).enumerate().fold(found, |found, (at, edge)| {
        let step = at + 1;
        let back = if step == count { ", which leads back" } else { "" };
        found.label(edge.key, format!("step {step} of {count}{back}"))
    })
}
