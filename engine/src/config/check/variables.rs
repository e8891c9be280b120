//! What a node reads of a call is declared, and what is declared is read.

use std::collections::BTreeSet;

use crate::config::options;
use crate::config::resolve::{Resolved, ResolvedNode};
use crate::config::suggest;
use crate::diagnostic::{Diagnostic, Files, Span, codes};
use crate::node::UsedVariable;

/// Variables that a node uses and nobody declares.
pub(super) fn undeclared(resolved: &Resolved, files: &Files) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for node in &resolved.nodes {
        let mut told = BTreeSet::new();
        for used in used(node) {
            if !resolved.variables.has(&used.name)
                && told.insert((used.path.clone(), used.name.clone()))
            {
                found.push(unknown(resolved, node, &used, files));
            }
        }
    }
    found
}

fn unknown(
    resolved: &Resolved,
    node: &ResolvedNode,
    used: &UsedVariable,
    files: &Files,
) -> Diagnostic {
    let UsedVariable { path, name, written } = used;
    let message = format!("`{path}` of node `{}` uses the variable `{name}`", node.name);
    let names = resolved.variables.right.iter().map(|one| &*one.declaration.name);
    let help = match names.len() {
        0 => format!("declare it: `variables.{name} = {{ type = \"string\" }}`"),
        _ => suggest::help(name, "the variables are", names),
    };
    Diagnostic::new(&codes::UNKNOWN_CALL_VARIABLE, format!("{message}, which is not declared"))
        .label(place(node, path, written, files), "no such variable")
        .help(help)
}

/// Where in the option's text the variable is written; the option, where escapes hide it.
fn place(node: &ResolvedNode, path: &str, written: &str, files: &Files) -> Span {
    let option = options::find(&node.options, path).unwrap_or(node.key);
    match files.slice(option).find(written) {
        Some(offset) => {
            let start = option.start + offset;
            Span::new(option.source, start..start + written.len())
        }
        None => option,
    }
}

/// Variables that are declared and that no node uses.
pub(super) fn unused(resolved: &Resolved) -> Vec<Diagnostic> {
    let is_built =
        |node: &ResolvedNode| node.kind.as_ref().is_some_and(|kind| kind.factory.is_some());
    if !resolved.nodes.iter().all(is_built) {
        return Vec::new();
    }
    let used: BTreeSet<String> =
        resolved.nodes.iter().flat_map(used).map(|used| used.name).collect();
    let unused =
        resolved.variables.right.iter().filter(|one| !used.contains(&*one.declaration.name));
    let told = unused.map(|one| {
        let message = format!("no node uses the variable `{}`", one.declaration.name);
        Diagnostic::new(&codes::UNUSED_VARIABLE, message)
            .label(one.key, "declared here")
            .help("use it in a prompt or a statement, or remove it")
    });
    told.collect()
}

fn used(node: &ResolvedNode) -> Vec<UsedVariable> {
    let factory = node.kind.as_ref().and_then(|kind| kind.factory.as_ref());
    factory.map(|factory| factory.variables()).unwrap_or_default()
}
