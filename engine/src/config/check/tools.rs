//! A model calls a tool by its name: the tools that one node can call have different ones.

use std::collections::BTreeMap;

use crate::config::resolve::{Resolved, ResolvedEdge};
use crate::diagnostic::{Diagnostic, codes};
use crate::message::PayloadKind;

/// Tools of one name within the reach of one node.
pub(super) fn repeated(resolved: &Resolved) -> Vec<Diagnostic> {
    let mut seen: BTreeMap<(usize, String), &ResolvedEdge> = BTreeMap::new();
    let mut found = Vec::new();
    for edge in resolved.edges.iter().filter(|edge| edge.payload == PayloadKind::ToolCall) {
        for tool in tools(resolved, edge) {
            match seen.get(&(edge.from, tool.clone())) {
                Some(first) => found.push(repeated_tool(&tool, first, edge)),
                None => {
                    seen.insert((edge.from, tool), edge);
                }
            }
        }
    }
    found
}

/// The names of the tools that an edge leads to.
fn tools(resolved: &Resolved, edge: &ResolvedEdge) -> Vec<String> {
    let kind = resolved.nodes[edge.to].kind.as_ref();
    let factory = kind.and_then(|kind| kind.factory.as_ref());
    let specs = factory.map(|factory| factory.tools()).unwrap_or_default();
    specs.into_iter().map(|spec| spec.name).collect()
}

fn repeated_tool(tool: &str, first: &ResolvedEdge, other: &ResolvedEdge) -> Diagnostic {
    let node = &other.name.from.node;
    let message = format!("node `{node}` can call two tools named `{tool}`");
    let found = Diagnostic::new(&codes::REPEATED_TOOL, message)
        .label(other.key, format!("leads to a `{tool}`"))
        .help("give one of the tools another name");
    if first.key == other.key { found } else { found.label(first.key, "so does this edge") }
}
