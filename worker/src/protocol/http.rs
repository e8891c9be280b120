//! HTTP in the shapes that LiveKit's own workers serve, beside the engine's endpoints.
//!
//! ```text
//!   GET /          200 `OK`, or 503 `failed to connect to livekit`
//!   GET /worker    who the worker is and what it does, as LiveKit's `WorkerInfo`
//!   GET /metrics   the engine's figures and the worker's
//!   anything else  the engine's; its page, which is at `/` elsewhere, is at `/dashboard`
//! ```

use std::sync::Arc;

use axum::Router;
use axum::extract::State as Extracted;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;
use tokio::runtime::Handle;
use tokio::sync::watch;
use voicegraph_engine::metrics::Metrics;

use super::counts::exposition;
use super::settings::Settings;
use super::socket::PROTOCOL;
use super::status::Status;

/// Where the engine's page is.
pub const DASHBOARD: &str = "/dashboard";

/// What the worker's routes read from.
#[derive(Clone)]
pub struct State {
    agent_name: Arc<str>,
    version: Arc<str>,
    status: watch::Receiver<Status>,
}

impl State {
    /// Of the worker with these settings, whose status this is.
    pub fn new(settings: &Settings, status: watch::Receiver<Status>) -> Self {
        let (agent_name, version) = (&settings.agent_name, &settings.version);
        Self { agent_name: agent_name.as_str().into(), version: version.as_str().into(), status }
    }
}

/// `livekit.WorkerInfo` in the JSON of protobuf: zero values are left out, names are as declared.
#[derive(Serialize)]
struct Info<'a> {
    worker_type: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    agent_name: &'a str,
    #[serde(skip_serializing_if = "is_zero")]
    active_jobs: f32,
    #[serde(skip_serializing_if = "str::is_empty")]
    sdk_version: &'a str,
    #[serde(skip_serializing_if = "is_zero")]
    worker_load: f32,
    protocol_version: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(number: &f32) -> bool {
    *number == 0.0
}

/// `/` and `/worker` alone.
pub fn routes(worker: State) -> Router {
    Router::new().route("/", get(health)).route("/worker", get(info)).with_state(worker)
}

/// The worker's routes over the engine's: they win, and the engine's page moves to [`DASHBOARD`].
pub fn over(engine: Router, worker: State, metrics: Arc<Metrics>) -> Router {
    let figures =
        Router::new().route("/metrics", get(figures)).with_state((worker.clone(), metrics));
    let page = engine.clone();
    routes(worker).merge(figures).nest_service(DASHBOARD, page).fallback_service(engine)
}

async fn health(Extracted(worker): Extracted<State>) -> Response {
    match worker.status.borrow().is_lost() {
        true => (StatusCode::SERVICE_UNAVAILABLE, "failed to connect to livekit").into_response(),
        false => "OK".into_response(),
    }
}

async fn info(Extracted(worker): Extracted<State>) -> Response {
    let status = worker.status.borrow().clone();
    let info = Info {
        worker_type: "JT_ROOM",
        agent_name: &worker.agent_name,
        active_jobs: status.active_jobs as f32,
        sdk_version: &worker.version,
        worker_load: status.load,
        protocol_version: PROTOCOL,
    };
    let text = serde_json::to_string_pretty(&info).expect("it holds strings and finite numbers");
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

async fn figures(Extracted((worker, metrics)): Extracted<(State, Arc<Metrics>)>) -> Response {
    let tasks = Handle::current().metrics().num_alive_tasks();
    match metrics.text() {
        Ok(text) => {
            let text = text + &exposition(&worker.status.borrow(), tasks);
            ([(header::CONTENT_TYPE, Metrics::CONTENT_TYPE)], text).into_response()
        }
        Err(error) => {
            let text = format!("the metrics cannot be written: {error}\n");
            (StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
        }
    }
}
