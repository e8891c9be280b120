//! What a worker serves over HTTP, in the shapes of LiveKit's own workers.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use voicegraph_engine::metrics::Metrics;
use voicegraph_tests::agent::{Desk, Fake, Hired, hire, settings};
use voicegraph_tests::http::{Answer, get as ask};
use voicegraph_tests::promtool;
use voicegraph_worker::protocol::{Settings, Steady, http};

/// What the engine's routes stand for here.
const PAGE: &str = "the engine's page";

/// The worker's endpoints on a free port.
struct Served {
    authority: String,
    _task: JoinHandle<()>,
}

impl Served {
    async fn new(settings: &Settings, worker: &Hired) -> Self {
        let engine = Router::new()
            .route("/", get(async || PAGE))
            .route("/health", get(async || "the engine's health"))
            .fallback(async || "the engine's fallback");
        let state = http::State::new(settings, worker.watch());
        let router = http::over(engine, state, Arc::new(Metrics::new()));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let serving = voicegraph_engine::http::serve(listener, router, CancellationToken::new());
        Self { authority, _task: tokio::spawn(serving) }
    }

    async fn get(&self, path: &str) -> Answer {
        ask(&self.authority, path).await
    }
}

#[tokio::test]
async fn a_worker_tells_what_livekits_own_tell() {
    let (fake, desk) = (Fake::start().await, Desk::new(2));
    let mut settings = settings(fake.url(), "clinic");
    settings.version = "1.2.3".to_owned();
    let answer = Arc::new(desk.clone());
    let load = Box::new(Steady(0.25));
    let worker = Hired::new(settings.clone(), answer, load, Duration::from_secs(60));
    let served = Served::new(&settings, &worker).await;
    let mut visit = fake.register("AW_1").await;
    visit.give("a").await;
    worker.until("the job", |status| status.active_jobs == 1 && status.load > 0.0).await;
    let answer = served.get("/worker").await;
    assert!(answer.head.contains("content-type: application/json\r\n"), "{}", answer.head);
    let expected = "{\n  \"worker_type\": \"JT_ROOM\",\n  \"agent_name\": \"clinic\",\n  \
         \"active_jobs\": 1.0,\n  \"sdk_version\": \"1.2.3\",\n  \"worker_load\": 0.25,\n  \
         \"protocol_version\": 1\n}";
    assert_eq!(answer.body, expected);
}

#[tokio::test]
async fn zeros_are_left_out() {
    let settings = settings("ws://127.0.0.1:9", "");
    let worker = hire(settings.clone(), &Desk::new(1), Duration::ZERO);
    let served = Served::new(&settings, &worker).await;
    let answer = served.get("/worker").await.json();
    let keys: Vec<_> = answer.as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["worker_type", "sdk_version", "protocol_version"]);
}

#[tokio::test]
async fn health_fails_where_the_server_is_out_of_reach() {
    let fake = Fake::start().await;
    let mut settings = settings(fake.url(), "clinic");
    settings.timing.backoff_step = Duration::from_millis(1);
    let worker = hire(settings.clone(), &Desk::new(1), Duration::ZERO);
    let served = Served::new(&settings, &worker).await;
    let answer = served.get("/").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "OK"), "before any registration");
    for _ in 0..16 {
        fake.refuse("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n").await;
    }
    worker.until("health to tell", |status| status.is_lost()).await;
    let answer = served.get("/").await;
    assert_eq!((answer.status, answer.body.as_str()), (503, "failed to connect to livekit"));
    let _visit = fake.register("AW_1").await;
    worker.registered().await;
    assert_eq!(served.get("/").await.status, 200);
}

#[tokio::test]
async fn the_engines_endpoints_stay_and_its_page_moves() {
    let settings = settings("ws://127.0.0.1:9", "clinic");
    let worker = hire(settings.clone(), &Desk::new(1), Duration::ZERO);
    let served = Served::new(&settings, &worker).await;
    for (path, body) in [
        ("/", "OK"),
        ("/dashboard", PAGE),
        ("/health", "the engine's health"),
        ("/other", "the engine's fallback"),
    ] {
        assert_eq!(served.get(path).await.body, body, "{path}");
    }
}

#[tokio::test]
async fn the_workers_figures_are_good_prometheus() {
    let (fake, desk) = (Fake::start().await, Desk::new(1));
    let settings = settings(fake.url(), "clinic");
    let worker = hire(settings.clone(), &desk, Duration::ZERO);
    let served = Served::new(&settings, &worker).await;
    let mut visit = fake.register("AW_1").await;
    visit.give("a").await;
    visit.ask("b").await;
    assert!(!visit.answer("b").await.available);
    worker.until("the decline", |status| status.counts.declined_total() == 1).await;
    let text = served.get("/metrics").await.body;
    for line in [
        "voicegraph_worker_offers_total 2",
        "voicegraph_worker_assigned_total 1",
        "voicegraph_worker_declined_total{reason=\"answer\"} 1",
        "voicegraph_worker_registered 1",
        "voicegraph_worker_jobs 1",
        "voicegraph_worker_full 1",
    ] {
        assert!(text.lines().any(|it| it == line), "{line} in\n{text}");
    }
    let tasks = text.lines().find_map(|line| line.strip_prefix("voicegraph_worker_tasks "));
    assert!(tasks.unwrap().parse::<usize>().unwrap() >= 1, "the worker's own");
    promtool::accepts(&text).await;
}
