//! `/health` and `/ready`: the same answer for two questions, told apart by the status code.
//!
//! `/health` asks whether the process should go on living, so it does not fail by a database that
//! is down: a restart would not bring it back, and would end the calls in progress. `/ready` asks
//! whether new calls should come here.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State as Extracted;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::State;
use super::routes::NO_STORE;
use crate::resource::Check;

/// How the process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    /// It takes calls, and every check passes.
    Ok,
    /// It takes calls, and a check fails.
    Failing,
    /// It takes no more calls.
    Draining,
}

#[derive(Serialize)]
struct Report<'a> {
    status: Status,
    version: &'static str,
    pipeline: &'a str,
    environment: &'a str,
    fingerprint: &'a str,
    sessions: u32,
    max_sessions: u32,
    checks: BTreeMap<String, CheckReport>,
}

/// What came of asking a node's resource.
#[derive(Serialize)]
struct CheckReport {
    ok: bool,
    latency_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

pub(super) async fn health(Extracted(state): Extracted<State>) -> Response {
    answer(&state, |status| status != Status::Draining).await
}

pub(super) async fn ready(Extracted(state): Extracted<State>) -> Response {
    answer(&state, |status| status == Status::Ok).await
}

async fn answer(state: &State, is_well: fn(Status) -> bool) -> Response {
    let (pipeline, admission) = (state.runtime.pipeline(), state.runtime.admission());
    let checks = pipeline.resources.check().await;
    let status = match admission.is_open() {
        false => Status::Draining,
        true if checks.values().any(|check| check.result.is_err()) => Status::Failing,
        true => Status::Ok,
    };
    let report = Report {
        status,
        version: state.version,
        pipeline: pipeline.graph.name(),
        environment: pipeline.graph.environment(),
        fingerprint: pipeline.graph.fingerprint(),
        sessions: admission.in_progress(),
        max_sessions: admission.max(),
        checks: checks.into_iter().map(|(node, check)| (node, check.into())).collect(),
    };
    let code = if is_well(status) { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, [NO_STORE], Json(report)).into_response()
}

impl From<Check> for CheckReport {
    fn from(check: Check) -> Self {
        Self {
            ok: check.result.is_ok(),
            latency_ms: check.latency.as_micros() as f64 / 1_000.0,
            error: check.result.err().map(|error| error.to_string()),
        }
    }
}
