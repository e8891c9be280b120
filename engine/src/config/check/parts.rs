//! The nodes that each call needs, and nodes that no call needs.

use crate::config::resolve::{Resolved, ResolvedEdge, ResolvedNode};
use crate::config::suggest;
use crate::diagnostic::{Diagnostic, codes};
use crate::node::NodeKind;
use crate::registry::Registry;
use crate::signature::Role;

/// Roles without a node, and roles with several.
pub(super) fn roles(resolved: &Resolved, registry: &Registry) -> Vec<Diagnostic> {
    let unknown = resolved.nodes.iter().any(|node| node.kind.is_none());
    let mut found = Vec::new();
    for role in [Role::Source, Role::Sink, Role::TurnControl] {
        let nodes: Vec<&ResolvedNode> =
            resolved.nodes.iter().filter(|node| self::role(node) == Some(role)).collect();
        match nodes.as_slice() {
            [] if !unknown && !resolved.incomplete => found.push(missing(resolved, role, registry)),
            [] => {}
            [first, others @ ..] => {
                found.extend(others.iter().map(|other| repeated(role, first, other)));
            }
        }
    }
    found
}

fn role(node: &ResolvedNode) -> Option<Role> {
    node.kind.as_ref().map(|kind| kind.signature.role)
}

/// What the node of a role does.
fn described(role: Role) -> &'static str {
    match role {
        Role::Stage => "is one stage among others",
        Role::Source => "takes the caller's audio",
        Role::Sink => "gives the agent's audio to the caller",
        Role::TurnControl => "begins and interrupts turns",
    }
}

fn missing(resolved: &Resolved, role: Role, registry: &Registry) -> Diagnostic {
    let kinds = registry.kinds().filter(|kind| kind.signature().role == role);
    let kinds = suggest::list(kinds.map(NodeKind::name));
    let message = format!("no node {}", described(role));
    Diagnostic::new(&codes::MISSING_ROLE, message)
        .label(resolved.place, "this pipeline lacks one")
        .help(format!("add a node of kind {kinds}"))
}

fn repeated(role: Role, first: &ResolvedNode, other: &ResolvedNode) -> Diagnostic {
    let message =
        format!("`{}` and `{}`: only one node {}", first.name, other.name, described(role));
    Diagnostic::new(&codes::REPEATED_ROLE, message)
        .label(other.key, "one too many")
        .label(first.key, "the first")
        .help(format!(
            "keep one of the two; an overlay removes a node by `nodes.{} = false`",
            first.name
        ))
}

/// Nodes that no path of edges, in whatever direction, joins with one that each call needs.
pub(super) fn isolated(resolved: &Resolved) -> Vec<Diagnostic> {
    if resolved.incomplete || !resolved.gaps.is_empty() {
        return Vec::new();
    }
    let is_needed = |node: &ResolvedNode| role(node).is_some_and(|role| role != Role::Stage);
    let mut joined: Vec<bool> = resolved.nodes.iter().map(is_needed).collect();
    while let Some(next) = resolved.edges.iter().find_map(|edge| spread(edge, &joined)) {
        joined[next] = true;
    }
    let alone = resolved.nodes.iter().zip(joined).filter(|(_, joined)| !joined);
    alone.map(|(node, _)| isolated_node(node)).collect()
}

/// The end of the edge that is joined by its other end.
fn spread(edge: &ResolvedEdge, joined: &[bool]) -> Option<usize> {
    match (joined[edge.from], joined[edge.to]) {
        (true, false) => Some(edge.to),
        (false, true) => Some(edge.from),
        _ => None,
    }
}

fn isolated_node(node: &ResolvedNode) -> Diagnostic {
    let message = format!("no edge joins the node `{}` with the call", node.name);
    Diagnostic::new(&codes::ISOLATED_NODE, message)
        .label(node.key, "runs in each call and changes nothing")
        .help("remove the node, or add the edges that it is missing")
}
