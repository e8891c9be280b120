//! The answers that need no negotiation.

use axum::Json;
use axum::extract::State as Extracted;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use serde::Serialize;

use super::State;
use crate::metrics::{EdgeReport, EndedTurn, Identity, Metrics};

/// Nothing but the page itself and this server: no address outside is ever asked.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; \
     script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

/// Figures change from second to second.
pub(super) const NO_STORE: (header::HeaderName, &str) = (header::CACHE_CONTROL, "no-store");

pub(super) async fn page() -> impl IntoResponse {
    ([(header::CONTENT_SECURITY_POLICY, PAGE_POLICY)], Html(include_str!("page.html")))
}

/// All edges of all pipelines.
#[derive(Serialize)]
struct Edges {
    pipelines: Vec<Pipeline>,
}

#[derive(Serialize)]
struct Pipeline {
    #[serde(flatten)]
    identity: Identity,
    sessions: u64,
    edges: Vec<EdgeReport>,
}

pub(super) async fn edges(Extracted(state): Extracted<State>) -> impl IntoResponse {
    let pipelines = state.metrics.pipelines().into_iter().map(|metrics| Pipeline {
        identity: metrics.identity(),
        sessions: metrics.sessions(),
        edges: metrics.edge_reports(),
    });
    ([NO_STORE], Json(Edges { pipelines: pipelines.collect() }))
}

/// The last turns of all pipelines.
#[derive(Serialize)]
struct Turns {
    pipelines: Vec<PipelineTurns>,
}

#[derive(Serialize)]
struct PipelineTurns {
    #[serde(flatten)]
    identity: Identity,
    /// The latest last.
    turns: Vec<EndedTurn>,
}

pub(super) async fn turns(Extracted(state): Extracted<State>) -> impl IntoResponse {
    let pipelines = state.metrics.pipelines().into_iter().map(|metrics| PipelineTurns {
        identity: metrics.identity(),
        turns: metrics.recent_turns(),
    });
    ([NO_STORE], Json(Turns { pipelines: pipelines.collect() }))
}

pub(super) async fn metrics(Extracted(state): Extracted<State>) -> Response {
    match state.metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, Metrics::CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be written");
            let text = format!("the metrics cannot be written: {error}\n");
            (StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
        }
    }
}

pub(super) async fn unknown() -> impl IntoResponse {
    (StatusCode::NOT_FOUND, "there are /, /edges, /turns, /metrics, /graph, /health and /ready\n")
}
