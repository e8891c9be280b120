//! Wires one call: a queue for each edge, the ports of each node.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::edge::{EdgeMeter, edge};
use crate::graph::{Graph, GraphEdge};
use crate::message::{
    AudioFrame, Payload, PayloadKind, Speech, TextDelta, ToolCall, Transcript, UserInput, UserTurn,
};
use crate::metrics::{NodeMeter, PipelineMetrics};
use crate::node::{Ports, Tool};

/// The meters of one graph, shared by all its calls.
#[derive(Clone, Debug)]
pub struct Meters {
    /// One for each edge of the graph, in its order.
    pub edges: Vec<Arc<EdgeMeter>>,
    /// One for each node of the graph, in its order.
    pub nodes: Vec<Arc<NodeMeter>>,
}

impl Meters {
    /// The meters that `metrics` keeps for `graph`.
    pub fn of(graph: &Graph, metrics: &PipelineMetrics) -> Self {
        let edge = |edge: &GraphEdge| metrics.edge(&edge.name, edge.limit, edge.overflow);
        Self {
            edges: graph.edges().iter().map(edge).collect(),
            nodes: graph.nodes().iter().map(|node| metrics.node(&node.name)).collect(),
        }
    }

    /// Meters of their own for `graph`, seen by no registry.
    pub fn detached(graph: &Graph) -> Self {
        let edge = |edge: &GraphEdge| EdgeMeter::new(&edge.name, edge.limit, edge.overflow);
        Self {
            edges: graph.edges().iter().map(edge).collect(),
            nodes: graph.nodes().iter().map(|node| NodeMeter::new(&*node.name)).collect(),
        }
    }
}

/// The ports of each node of `graph`, in its order, joined by fresh queues.
pub(super) fn ports(graph: &Graph, meters: &Meters, cancelled: &CancellationToken) -> Vec<Ports> {
    let mut ports: Vec<Ports> = graph.nodes().iter().map(|_| Ports::default()).collect();
    for (edge, meter) in graph.edges().iter().zip(&meters.edges) {
        let join = match edge.payload {
            PayloadKind::Audio => join::<AudioFrame>,
            PayloadKind::Speech => join::<Speech>,
            PayloadKind::Transcript => join::<Transcript>,
            PayloadKind::UserInput => join::<UserInput>,
            PayloadKind::UserTurn => join::<UserTurn>,
            PayloadKind::Text => join::<TextDelta>,
            PayloadKind::ToolCall => join::<ToolCall>,
        };
        join(&mut ports, edge, meter, cancelled.clone());
    }
    ports
}

fn join<T: Payload>(
    ports: &mut [Ports],
    wire: &GraphEdge,
    meter: &Arc<EdgeMeter>,
    cancelled: CancellationToken,
) {
    let (output, input) = edge::<T>(meter, cancelled);
    ports[wire.from].add_output(wire.output, output);
    ports[wire.to].add_input(wire.input, input);
}

/// The tools that the node at `index` can call, each with its edge counted among those of the port.
pub(super) fn tools(graph: &Graph, index: usize) -> Vec<Tool> {
    let calls = |edge: &&GraphEdge| edge.from == index && edge.payload == PayloadKind::ToolCall;
    let mut tools = Vec::new();
    for (edge, wire) in graph.edges().iter().filter(calls).enumerate() {
        let specs = graph.nodes()[wire.to].factory.tools();
        tools.extend(specs.into_iter().map(|spec| Tool { spec, edge }));
    }
    tools
}
