//! `voicegraph nodes`: the manual of the node kinds.

use anyhow::bail;
use voicegraph_engine::config::manual;

use crate::args::Nodes;
use crate::output::print;

/// Prints the list of kinds, or one kind's ports and options.
pub(crate) fn run(nodes: &Nodes) -> anyhow::Result<()> {
    let registry = voicegraph_nodes::registry();
    let Some(name) = &nodes.kind else {
        return print(&manual::index(&registry));
    };
    let Some(kind) = registry.get(name) else {
        let known: Vec<&str> = registry.kinds().map(|kind| kind.name()).collect();
        bail!("no kind is named {name:?}; there are {}", known.join(", "));
    };
    print(&manual::entry(kind))
}
