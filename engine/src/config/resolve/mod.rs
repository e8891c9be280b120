//! Pass 6, `resolve`: words become kinds, options, factories and ports.
//!
//! Nodes first, then the edges between them. What cannot be resolved stays in the result as a gap,
//! so that `check` tells no second story of the same mistake.

mod edges;
mod nodes;
mod variables;

pub use edges::{EdgeOptions, MAX_LIMIT, MAX_LIMIT_MS};
pub(crate) use nodes::{ResolvedNode, refusal};
pub(crate) use variables::{Declared, ResolvedVariable, VariableOptions};

use std::collections::BTreeSet;

use super::parse::Draft;
use super::tree::Tree;
use crate::diagnostic::{Diagnostic, Span};
use crate::edge::{Limit, Overflow};
use crate::graph::EdgeName;
use crate::message::PayloadKind;
use crate::registry::Registry;

/// A pipeline whose words are understood, as far as they can be.
pub(crate) struct Resolved {
    /// `[pipeline]`, or the beginning of the file.
    pub(crate) place: Span,
    /// The pipeline's name.
    pub(crate) name: Option<Tree>,
    /// The nodes, in the order of the file.
    pub(crate) nodes: Vec<ResolvedNode>,
    /// The edges, in the order of the file, without those that could not be resolved.
    pub(crate) edges: Vec<ResolvedEdge>,
    /// Ports that an edge names which could not be resolved: (node, is an input).
    pub(crate) gaps: BTreeSet<(usize, bool)>,
    /// Whether nodes or edges had to be left out.
    pub(crate) incomplete: bool,
    /// What calls may be given.
    pub(crate) variables: Declared,
    /// What must not be told.
    pub(crate) secrets: Secrets,
}

/// Where secrets are.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    /// Places in the files.
    pub(crate) places: Vec<Span>,
    /// Variables, by name.
    pub(crate) variables: Vec<String>,
}

/// An edge between two ports that exist and fit.
#[derive(Clone, Debug)]
pub(crate) struct ResolvedEdge {
    /// Its written form.
    pub(crate) name: EdgeName,
    /// Where it is written.
    pub(crate) key: Span,
    /// The sending node, by its place among the nodes.
    pub(crate) from: usize,
    /// Its output.
    pub(crate) output: &'static str,
    /// The receiving node.
    pub(crate) to: usize,
    /// Its input.
    pub(crate) input: &'static str,
    /// What both carry.
    pub(crate) payload: PayloadKind,
    /// How much it holds.
    pub(crate) limit: Limit,
    /// What it does when it is full.
    pub(crate) overflow: Overflow,
}

/// Resolves the draft against the kinds that exist.
pub(crate) fn resolve(
    draft: Draft,
    registry: &Registry,
    environment: &str,
) -> (Resolved, Vec<Diagnostic>) {
    let mut found = Vec::new();
    let mut secrets = Secrets::default();
    let variables = Declared::resolve(draft.variables, &mut found, &mut secrets);
    let declarations = variables.declarations();
    let nodes: Vec<ResolvedNode> = draft
        .nodes
        .into_iter()
        .map(|node| {
            let (node, verified) = nodes::resolve(node, registry, environment, &declarations);
            found.extend(verified.found);
            secrets.places.extend(verified.masks);
            secrets.variables.extend(verified.secret);
            node
        })
        .collect();
    let ends = edges::Ends::new(&nodes, &draft.removed);
    let mut edges = Vec::new();
    let mut gaps = BTreeSet::new();
    for edge in draft.edges {
        let outcome = ends.resolve(edge);
        found.extend(outcome.found);
        edges.extend(outcome.edge);
        gaps.extend(outcome.gaps);
    }
    let Draft { place, name, incomplete, .. } = draft;
    (Resolved { place, name, nodes, edges, gaps, incomplete, variables, secrets }, found)
}
