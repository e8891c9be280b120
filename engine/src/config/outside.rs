//! Asks the nodes of a compiled pipeline whether their options fit the outside, and tells what they
//! find at its place in the TOML.
//!
//! It is no pass: a pipeline compiles without a network, and `check` stays a matter of the files
//! unless it is told otherwise.

use super::compile::Compiled;
use super::resolve::{ResolvedNode, refusal};
use super::scrub::{self, Values};
use super::tree::Table;
use crate::diagnostic::{Diagnostics, Files, Span};

/// What is kept of a pipeline's text, so that what the outside says has a place there.
pub(crate) struct Written {
    nodes: Vec<WrittenNode>,
    files: Files,
    values: Values,
    /// The names of variables that must not be told.
    secrets: Vec<String>,
}

/// A node as it was written.
struct WrittenNode {
    name: String,
    key: Span,
    options: Table,
}

impl Written {
    pub(crate) fn new(
        nodes: &[ResolvedNode],
        files: Files,
        values: Values,
        secrets: Vec<String>,
    ) -> Self {
        let node = |node: &ResolvedNode| WrittenNode {
            name: node.name.clone(),
            key: node.key,
            options: node.options.clone(),
        };
        Self { nodes: nodes.iter().map(node).collect(), files, values, secrets }
    }
}

impl Compiled {
    /// Asks every node, one after the other. Each bounds its own waiting.
    pub async fn verify(&self) -> Diagnostics {
        let written = &self.written;
        let mut found = Vec::new();
        for node in &written.nodes {
            let Some(built) = self.graph.nodes().iter().find(|built| *built.name == *node.name)
            else {
                continue;
            };
            let problems = built.factory.verify().await;
            let told = problems.iter().map(|one| refusal(&node.name, node.key, &node.options, one));
            found.extend(told);
        }
        scrub::scrub(&mut found, &written.values, &written.secrets);
        Diagnostics::new(written.files.clone(), found)
    }
}

#[cfg(test)]
mod tests {
    use crate::config::testing::{SMALLEST, compile_text};

    #[tokio::test]
    async fn what_the_outside_refuses_has_its_place_and_no_secret() {
        let compiled = compile_text(SMALLEST).unwrap_or_else(|found| panic!("{found}"));
        assert!(compiled.verify().await.is_empty());
        let text = SMALLEST.replace("key = \"${KEY:?}\"", "key = \"${KEY:?}\", text = \"lost\"");
        let compiled = compile_text(&text).unwrap_or_else(|found| panic!("{found}"));
        let found = compiled.verify().await;
        assert!(found.has_errors());
        let told = found.to_text(false);
        assert!(
            told.contains("`text` of node `mix`: the outside knows no \"lost\" under ***"),
            "{told}"
        );
        assert!(told.contains("text = \"lost\""), "{told}");
    }
}
