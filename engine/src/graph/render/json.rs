//! JSON, for tools.
//!
//! `{name, environment, fingerprint, nodes: [{name, kind, role, inputs, outputs}], edges: [{name,
//! from: {node, port}, to: {node, port}, payload, limit: {count | millis}, overflow}]}`. Nodes
//! stand in an order in which each comes after what it reads from; edges in the order of the file.

use serde_json::{Value, json};

use super::Part;
use crate::graph::{Graph, GraphEdge, GraphNode};
use crate::signature::PortSpec;

/// The graph as JSON.
pub fn json(graph: &Graph) -> String {
    let value = json!({
        "name": graph.name(),
        "environment": graph.environment(),
        "fingerprint": graph.fingerprint(),
        "nodes": graph.nodes().iter().map(node).collect::<Vec<_>>(),
        "edges": graph.edges().iter().map(|one| edge(graph, one)).collect::<Vec<_>>(),
    });
    format!("{value:#}\n")
}

fn node(node: &GraphNode) -> Value {
    let ports = |ports: &[PortSpec]| {
        let port = |port: &PortSpec| json!({ "name": port.name, "payload": port.payload.name() });
        ports.iter().map(port).collect::<Vec<_>>()
    };
    json!({
        "name": &*node.name,
        "kind": node.kind,
        "role": Part::of(node).name(),
        "inputs": ports(&node.signature.inputs),
        "outputs": ports(&node.signature.outputs),
    })
}

fn edge(graph: &Graph, edge: &GraphEdge) -> Value {
    json!({
        "name": edge.name,
        "from": { "node": &*graph.nodes()[edge.from].name, "port": edge.output },
        "to": { "node": &*graph.nodes()[edge.to].name, "port": edge.input },
        "payload": edge.payload.name(),
        "limit": edge.limit,
        "overflow": edge.overflow,
    })
}
