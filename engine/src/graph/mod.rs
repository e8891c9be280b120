//! The checked graph of a pipeline: immutable, shared by all calls of one configuration.

mod name;
pub(crate) mod order;
pub mod render;

use std::sync::Arc;

use crate::edge::{Limit, Overflow};
use crate::message::PayloadKind;
use crate::node::NodeFactory;
use crate::resource::Resources;
use crate::signature::Signature;
use crate::variables::Declarations;

pub use name::{EdgeName, EdgeNameError, MAX_NAME, PortName, is_name};

/// A checked pipeline. Only [`config`](crate::config) makes one, so a `Graph` in hand is valid:
/// every edge joins ports of one payload, every required port is connected, no path leads back.
pub struct Graph {
    pub(crate) name: String,
    pub(crate) environment: String,
    pub(crate) fingerprint: String,
    pub(crate) variables: Declarations,
    /// In topological order.
    pub(crate) nodes: Vec<GraphNode>,
    /// In the order of the file.
    pub(crate) edges: Vec<GraphEdge>,
}

/// A node of a graph.
#[derive(Clone)]
pub struct GraphNode {
    /// Its name in the file.
    pub name: Arc<str>,
    /// Its kind's name.
    pub kind: &'static str,
    /// Its kind's ports.
    pub signature: Signature,
    /// Makes its instance for each call.
    pub factory: Arc<dyn NodeFactory>,
}

/// An edge of a graph. `from` and `to` count in [`Graph::nodes`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphEdge {
    /// The written form: `llm.text -> tts.text`.
    pub name: String,
    /// The sending node.
    pub from: usize,
    /// Its output.
    pub output: &'static str,
    /// The receiving node.
    pub to: usize,
    /// Its input.
    pub input: &'static str,
    /// What the edge carries.
    pub payload: PayloadKind,
    /// How much it holds in one call.
    pub limit: Limit,
    /// What happens when it is full.
    pub overflow: Overflow,
}

impl Graph {
    /// The pipeline's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The environment that it was configured for; `base` without an overlay.
    pub fn environment(&self) -> &str {
        &self.environment
    }

    /// The SHA-256 of the resolved graph in hex, secrets by name only.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// What its calls may be given.
    pub fn variables(&self) -> &Declarations {
        &self.variables
    }

    /// The nodes, each after all that it reads from.
    pub fn nodes(&self) -> &[GraphNode] {
        &self.nodes
    }

    /// What the calls of each node share, where that has figures and a health of its own.
    pub fn resources(&self) -> Resources {
        let owned = |node: &GraphNode| Some((Arc::clone(&node.name), node.factory.resource()?));
        Resources::new(self.nodes.iter().filter_map(owned))
    }

    /// The edges, in the order of the file.
    pub fn edges(&self) -> &[GraphEdge] {
        &self.edges
    }
}
