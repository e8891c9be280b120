//! What a running process tells over HTTP: health, edges, metrics, the graph, and a first page.
//!
//! ```text
//!   /         the graph, drawn, with live figures on its edges
//!   /edges    figures per edge, JSON            /metrics  the same and more, for Prometheus
//!   /turns    the last turns, JSON
//!   /graph    svg, mermaid, dot or json         /health   whether the process lives
//!                                               /ready    whether it should get calls
//! ```
//!
//! Where a process has several pipelines, `/edges`, `/turns`, `/metrics` and `/health` tell of all,
//! and `/graph?pipeline=name` draws one; without a name the first is meant.
//!
//! Everything is read only, and nothing says what callers say. There is no authentication: listen
//! on the loopback unless the network in front has one.

mod calls;
mod graph;
mod health;
mod routes;
mod serve;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

pub use calls::Calls;
pub use graph::Format;
pub use serve::{MAX_CONNECTIONS, serve};

use crate::metrics::Metrics;
use crate::runtime::Runtimes;

/// What the routes read from.
#[derive(Clone)]
pub struct State {
    /// The process's figures.
    pub metrics: Arc<Metrics>,
    /// The calls in progress, and the graphs that new calls get.
    pub runtimes: Runtimes,
    /// The program's version.
    pub version: &'static str,
}

/// The routes over `state`. Methods other than GET and HEAD are refused with 405.
pub fn router(state: State) -> Router {
    Router::new()
        .route("/", get(routes::page))
        .route("/edges", get(routes::edges))
        .route("/turns", get(routes::turns))
        .route("/metrics", get(routes::metrics))
        .route("/graph", get(graph::graph))
        .route("/health", get(health::health))
        .route("/ready", get(health::ready))
        .fallback(routes::unknown)
        .with_state(state)
}
