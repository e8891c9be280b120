//! Pass 7, `check`: the rules of the whole, and the graph.
//!
//! Each rule is a function of the resolved pipeline. A rule that looks for what is missing keeps
//! still where something could not be resolved: that was told of, and is most likely what is
//! missing.

mod circles;
mod parts;
mod ports;
mod tools;
mod variables;

use super::fingerprint;
use super::resolve::{Resolved, ResolvedEdge, ResolvedNode};
use crate::diagnostic::{Diagnostic, Files, codes};
use crate::graph::{Graph, GraphEdge, GraphNode, is_name};
use crate::registry::Registry;

/// The graph, where neither this pass nor one before found an error.
pub(crate) fn check(
    resolved: Resolved,
    environment: &str,
    registry: &Registry,
    files: &Files,
) -> (Option<Graph>, Vec<Diagnostic>) {
    let mut found = Vec::new();
    found.extend(name(&resolved));
    found.extend(parts::roles(&resolved, registry));
    found.extend(ports::inputs(&resolved));
    found.extend(ports::outputs(&resolved));
    found.extend(tools::repeated(&resolved));
    found.extend(variables::undeclared(&resolved, files));
    let order = match circles::order(&resolved) {
        Ok(order) => order,
        Err(circles) => {
            found.extend(circles);
            return (None, found);
        }
    };
    found.extend(parts::isolated(&resolved));
    found.extend(variables::unused(&resolved));
    (build(resolved, &order, environment), found)
}

/// The pipeline's name is a label in metrics and logs.
fn name(resolved: &Resolved) -> Option<Diagnostic> {
    let tree = resolved.name.as_ref()?;
    let text = tree.as_text()?;
    if text.unknown || is_name(&text.text) {
        return None;
    }
    let found =
        Diagnostic::new(&codes::BAD_NAME, format!("{:?} cannot name a pipeline", text.text))
            .label(tree.span, "not a name")
            .help("begin with a letter; go on with letters, digits, `_` and `-`, 64 at most");
    Some(found)
}

/// The graph with its nodes in `order`; `None` where a node has no factory.
fn build(resolved: Resolved, order: &[usize], environment: &str) -> Option<Graph> {
    let name = resolved.name.as_ref()?.as_text()?.text.clone();
    let fingerprint = fingerprint::fingerprint(&name, &resolved);
    let mut place = vec![0; order.len()];
    for (at, &node) in order.iter().enumerate() {
        place[node] = at;
    }
    let mut nodes: Vec<Option<GraphNode>> = resolved.nodes.into_iter().map(graph_node).collect();
    let nodes = order.iter().map(|&node| nodes[node].take()).collect::<Option<Vec<_>>>()?;
    let edges = resolved.edges.iter().map(|edge| graph_edge(edge, &place)).collect();
    let environment = environment.to_owned();
    let variables = resolved.variables.declarations();
    Some(Graph { name, environment, fingerprint, variables, nodes, edges })
}

fn graph_node(node: ResolvedNode) -> Option<GraphNode> {
    let kind = node.kind?;
    let (name, factory) = (node.name.into(), kind.factory?);
    Some(GraphNode { name, kind: kind.name, signature: kind.signature, factory })
}

fn graph_edge(edge: &ResolvedEdge, place: &[usize]) -> GraphEdge {
    GraphEdge {
        name: edge.name.to_string(),
        from: place[edge.from],
        output: edge.output,
        to: place[edge.to],
        input: edge.input,
        payload: edge.payload,
        limit: edge.limit,
        overflow: edge.overflow,
    }
}
