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
use futures_util::future::join_all;
use serde::Serialize;

use super::State;
use super::routes::NO_STORE;
use crate::resource::Check;
use crate::runtime::Runtime;

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
struct Report {
    status: Status,
    version: &'static str,
    pipeline: String,
    environment: String,
    fingerprint: String,
    sessions: u32,
    max_sessions: u32,
    checks: BTreeMap<String, CheckReport>,
    /// All pipelines, where there are several; what stands above is the first one's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pipelines: Vec<PipelineReport>,
}

/// One of several pipelines.
#[derive(Clone, Serialize)]
struct PipelineReport {
    pipeline: String,
    environment: String,
    fingerprint: String,
    checks: BTreeMap<String, CheckReport>,
}

/// What came of asking a node's resource.
#[derive(Clone, Serialize)]
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
    let admission = state.runtimes.admission();
    let pipelines = join_all(state.runtimes.iter().map(|one| ask(one))).await;
    let is_failing = |one: &PipelineReport| one.checks.values().any(|check| !check.ok);
    let status = match admission.is_open() {
        false => Status::Draining,
        true if pipelines.iter().any(is_failing) => Status::Failing,
        true => Status::Ok,
    };
    let PipelineReport { pipeline, environment, fingerprint, checks } = pipelines[0].clone();
    let report = Report {
        status,
        version: state.version,
        pipeline,
        environment,
        fingerprint,
        sessions: admission.in_progress(),
        max_sessions: admission.max(),
        checks,
        pipelines: if pipelines.len() > 1 { pipelines } else { Vec::new() },
    };
    let code = if is_well(status) { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, [NO_STORE], Json(report)).into_response()
}

/// Asks what the calls of one pipeline share.
async fn ask(runtime: &Runtime) -> PipelineReport {
    let pipeline = runtime.pipeline();
    let checks = pipeline.resources.check().await;
    PipelineReport {
        pipeline: pipeline.graph.name().to_owned(),
        environment: pipeline.graph.environment().to_owned(),
        fingerprint: pipeline.graph.fingerprint().to_owned(),
        checks: checks.into_iter().map(|(node, check)| (node, check.into())).collect(),
    }
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
