//! Gives the record of a call to its nodes, once the last stage has ended.
//!
//! In comes the record; out goes a line in the log for each node that could not keep it. Where it
//! is kept is the node's matter, and so is to count what is lost.

use futures_util::future::join_all;
use tokio::time::timeout;

use crate::call::{CallRecord, RECORD_LIMIT, Unrecorded};
use crate::connect::Connector;
use crate::graph::{Graph, GraphNode};

/// Gives the record to all nodes at once, and to each [`RECORD_LIMIT`] to keep it.
pub(super) async fn keep(graph: &Graph, call: &CallRecord, connector: &Connector) {
    let nodes = graph.nodes().iter();
    join_all(nodes.map(|node| keep_at(node, call, connector))).await;
}

async fn keep_at(node: &GraphNode, call: &CallRecord, connector: &Connector) {
    let kept = timeout(RECORD_LIMIT, node.factory.record(call, connector)).await;
    let late = |_| Unrecorded(format!("not kept within {} ms", RECORD_LIMIT.as_millis()));
    if let Err(error) = kept.map_err(late).flatten() {
        tracing::warn!(node = %node.name, %error, "record of the call lost");
    }
}
