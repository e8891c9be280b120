//! Each required port has an edge, and no input has more than it takes.

use crate::config::resolve::{Resolved, ResolvedEdge, ResolvedNode};
use crate::config::suggest;
use crate::diagnostic::{Diagnostic, codes};
use crate::message::PayloadKind;
use crate::signature::{Arity, PortSpec};

/// Inputs without an edge, and inputs with too many.
pub(super) fn inputs(resolved: &Resolved) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (at, node) in resolved.nodes.iter().enumerate() {
        let inputs = node.kind.iter().flat_map(|kind| &kind.signature.inputs);
        for input in inputs {
            let leads_here = |edge: &&ResolvedEdge| edge.to == at && edge.input == input.name;
            let edges: Vec<&ResolvedEdge> = resolved.edges.iter().filter(leads_here).collect();
            match edges.as_slice() {
                [] if input.required && is_sure(resolved, at, true) => {
                    found.push(unfed(resolved, node, input));
                }
                [first, others @ ..] if input.arity == Arity::One => {
                    found.extend(others.iter().map(|other| crowded(node, input, first, other)));
                }
                _ => {}
            }
        }
    }
    found
}

/// Outputs without an edge.
pub(super) fn outputs(resolved: &Resolved) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (at, node) in resolved.nodes.iter().enumerate() {
        let outputs = node.kind.iter().flat_map(|kind| &kind.signature.outputs);
        for output in outputs {
            let leads_away = |edge: &ResolvedEdge| edge.from == at && edge.output == output.name;
            let is_read = resolved.edges.iter().any(leads_away);
            if output.required && !is_read && is_sure(resolved, at, false) {
                found.push(unread(resolved, node, output));
            }
        }
    }
    found
}

/// Whether an edge that is missing is missing indeed, and not one of those that were not
/// understood.
fn is_sure(resolved: &Resolved, node: usize, input: bool) -> bool {
    !resolved.incomplete && !resolved.gaps.contains(&(node, input))
}

fn unfed(resolved: &Resolved, node: &ResolvedNode, input: &PortSpec) -> Diagnostic {
    let port = format!("{}.{}", node.name, input.name);
    let message = format!("the input `{port}` has no edge: nothing feeds it {}", input.payload);
    let outputs = ports(resolved, input.payload, |signature| &signature.outputs);
    let help = match outputs.as_slice() {
        [] => format!("add a node that makes {}, and an edge from it to `{port}`", input.payload),
        [one] => format!("add `\"{one} -> {port}\" = {{}}`"),
        many => {
            let many = suggest::list(many.iter().map(String::as_str));
            format!("add an edge to it; {} is made by {many}", input.payload)
        }
    };
    Diagnostic::new(&codes::UNFED_INPUT, message)
        .label(node.key, format!("needs `{}`: {}", input.name, input.doc))
        .help(help)
}

fn unread(resolved: &Resolved, node: &ResolvedNode, output: &PortSpec) -> Diagnostic {
    let port = format!("{}.{}", node.name, output.name);
    let message = format!("the output `{port}` has no edge: nothing reads its {}", output.payload);
    let inputs = ports(resolved, output.payload, |signature| &signature.inputs);
    let help = match inputs.as_slice() {
        [] => format!("add a node that takes {}, and an edge from `{port}` to it", output.payload),
        [one] => format!("add `\"{port} -> {one}\" = {{}}`"),
        many => {
            let many = suggest::list(many.iter().map(String::as_str));
            format!("add an edge from it; {} is taken by {many}", output.payload)
        }
    };
    Diagnostic::new(&codes::UNREAD_OUTPUT, message)
        .label(node.key, format!("makes `{}`: {}", output.name, output.doc))
        .help(help)
}

/// The ports of a payload among the pipeline's nodes.
fn ports(
    resolved: &Resolved,
    payload: PayloadKind,
    side: impl Fn(&crate::signature::Signature) -> &Vec<PortSpec>,
) -> Vec<String> {
    let mut ports = Vec::new();
    for node in &resolved.nodes {
        let specs = node.kind.iter().flat_map(|kind| side(&kind.signature));
        let fitting = specs.filter(|spec| spec.payload == payload);
        ports.extend(fitting.map(|spec| format!("{}.{}", node.name, spec.name)));
    }
    ports
}

fn crowded(
    node: &ResolvedNode,
    input: &PortSpec,
    first: &ResolvedEdge,
    other: &ResolvedEdge,
) -> Diagnostic {
    let message =
        format!("the input `{}.{}` takes one edge and has several", node.name, input.name);
    Diagnostic::new(&codes::CROWDED_INPUT, message)
        .label(other.key, "one more edge")
        .label(first.key, "the first edge")
        .help("keep one of the edges, or give each a node of its own")
}
