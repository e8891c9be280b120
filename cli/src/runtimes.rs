//! The runtimes of a process that answers calls: one for each graph, with places for all together.

use std::sync::Arc;

use anyhow::Context;
use voicegraph_engine::connect::Connector;
use voicegraph_engine::graph::Graph;
use voicegraph_engine::metrics::Metrics;
use voicegraph_engine::runtime::{Admission, Pipeline, Runtime, Runtimes};
use voicegraph_engine::session::Limits;

use crate::{VERSION, clock, seed};

/// One for each of `graphs`, for `max_sessions` calls at once in all. The first takes the calls
/// that name no pipeline.
///
/// # Errors
/// Where there is no graph, or two have the same name.
pub(crate) fn start(
    graphs: impl IntoIterator<Item = Arc<Graph>>,
    metrics: &Metrics,
    connector: &Connector,
    max_sessions: u32,
) -> anyhow::Result<Runtimes> {
    let places = Arc::new(Admission::new(max_sessions));
    let mut each = graphs.into_iter().map(|graph| {
        let pipeline = Pipeline::new(graph, metrics, VERSION);
        let (connector, places) = (connector.clone(), Arc::clone(&places));
        let (limits, seed) = (Limits::default(), seed::from_system());
        Arc::new(Runtime::new(pipeline, connector, clock::now, places, limits, seed))
    });
    let first = each.next().context("no pipeline was named")?;
    Ok(Runtimes::new(first, each)?)
}
