//! What the HTTP endpoints tell of a database, while it is there and while it is not.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::future::join_all;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::time::{Instant, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use voicegraph_engine::config::{self, Sources};
use voicegraph_engine::connect::{Connector, Roots};
use voicegraph_engine::http::{self, State};
use voicegraph_engine::metrics::Metrics;
use voicegraph_engine::resource::CHECK_LIMIT;
use voicegraph_engine::runtime::{Admission, Pipeline, Runtime};
use voicegraph_engine::session::Limits;
use voicegraph_tests::http::{get, until};
use voicegraph_tests::postgres::{Postgres, Tls};
use voicegraph_tests::{booking, promtool};

/// How long a change may take to show on a busy machine.
const LIMIT: Duration = Duration::from_secs(20);

/// How many probes come at once.
const PROBES: usize = 200;

/// A process's endpoints over the pipeline `booking`.
struct Endpoints {
    authority: String,
    _stop: DropGuard,
}

impl Endpoints {
    async fn of(server: &Postgres) -> Self {
        Self::at(&server.url("postgres"), &server.authority()).await
    }

    async fn at(url: &str, authority: &Path) -> Self {
        let variables = |name: &str| match name {
            "DATABASE_URL" => Some(url.to_owned()),
            "AUTHORITY" => Some(authority.display().to_string()),
            _ => None,
        };
        let sources = Sources::from_text(booking::PIPELINE, None);
        let compiled = config::compile(&sources, &variables, &voicegraph_nodes::registry());
        let graph = compiled.unwrap_or_else(|found| panic!("{}", found.to_text(false))).graph;
        let metrics = Arc::new(Metrics::new());
        let pipeline = Pipeline::new(Arc::new(graph), &metrics, "0.1.0");
        let connector = Connector::new(&Roots::default());
        let (clock, one) = (|| SystemTime::UNIX_EPOCH, Arc::new(Admission::new(1)));
        let runtime = Runtime::new(pipeline, connector, clock, one, Limits::default(), 0);
        let runtime = Arc::new(runtime);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let router = http::router(State { metrics, runtimes: runtime.into(), version: "0.1.0" });
        let stop = CancellationToken::new();
        tokio::spawn(http::serve(listener, router, stop.clone()));
        Self { authority, _stop: stop.drop_guard() }
    }

    async fn codes(&self) -> (u16, u16) {
        let (health, ready) =
            tokio::join!(get(&self.authority, "/health"), get(&self.authority, "/ready"));
        assert_eq!(health.json()["status"], ready.json()["status"]);
        (health.status, ready.status)
    }

    async fn until_status(&self, status: &str) -> Value {
        until(&self.authority, "/health", LIMIT, |health| health["status"] == status).await
    }

    /// The value of the one line of `/metrics` that begins with `series`, its own labels included.
    async fn metric(&self, name: &str, more: &str) -> f64 {
        let page = get(&self.authority, "/metrics").await.body;
        let labels = r#"pipeline="booking",environment="base",node="booking""#;
        let series = format!("{name}{{{labels}{more}}} ");
        let value = page.lines().find_map(|line| line.strip_prefix(&series));
        value.unwrap_or_else(|| panic!("no {series} in\n{page}")).parse().unwrap()
    }
}

#[tokio::test]
async fn an_outage_is_seen_by_probes_and_over_when_it_is_over() {
    let Some(server) = Postgres::start("database", Tls::On) else { return };
    let endpoints = Endpoints::of(&server).await;
    let well = endpoints.until_status("ok").await;
    let check = &well["checks"]["booking"];
    assert!(check["ok"] == true && check["latency_ms"].as_f64().unwrap() > 0.0, "{well:#}");
    assert_eq!(endpoints.codes().await, (200, 200));

    server.pause();
    let failing = endpoints.until_status("failing").await;
    let check = &failing["checks"]["booking"];
    let error = check["error"].as_str().unwrap();
    assert!(check["ok"] == false && error.contains("database"), "{failing:#}");
    assert!(!failing.to_string().contains("not-a-secret"), "{failing:#}");
    assert_eq!(endpoints.codes().await, (200, 503));

    server.resume();
    endpoints.until_status("ok").await;
    assert_eq!(endpoints.codes().await, (200, 200));
}

#[tokio::test]
async fn a_database_that_says_nothing_does_not_hold_up_the_probes() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let url = format!("postgres://voicegraph:not-a-secret@127.0.0.1:{port}/postgres");
    let endpoints = Endpoints::at(&url, Path::new("none.pem")).await;
    let asked = Instant::now();
    assert_eq!(endpoints.codes().await, (200, 503));
    assert!(asked.elapsed() >= CHECK_LIMIT, "somebody answered: {:?}", asked.elapsed());
    let failing = get(&endpoints.authority, "/health").await.json();
    assert_eq!(failing["status"], "failing");
    let waited = failing["checks"]["booking"]["latency_ms"].as_f64().unwrap();
    // Kubernetes gives a probe 1 s, and the answer needs some of it; twice that on a busy machine.
    assert!((800.0..2_000.0).contains(&waited), "{failing:#}");
}

#[tokio::test]
async fn the_pool_is_shown_and_probes_are_not_among_its_figures() {
    let Some(server) = Postgres::start("database", Tls::On) else { return };
    let endpoints = Endpoints::of(&server).await;
    let probes = join_all((0..PROBES).map(|_| get(&endpoints.authority, "/ready")));
    let answers = timeout(LIMIT, probes).await.expect("in time");
    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");

    let connections = "voicegraph_database_connections";
    let idle = endpoints.metric(connections, r#",state="idle""#).await;
    assert!(idle == 1.0, "{PROBES} probes opened {idle} connections");
    assert_eq!(endpoints.metric(connections, r#",state="in_use""#).await, 0.0);
    for name in [
        "voicegraph_database_connections_overflow",
        "voicegraph_database_acquires_waiting",
        "voicegraph_database_acquire_seconds_count",
        "voicegraph_database_acquire_timeouts_total",
        "voicegraph_database_replaced_total",
    ] {
        assert_eq!(endpoints.metric(name, "").await, 0.0, "{name}");
    }
    promtool::accepts(&get(&endpoints.authority, "/metrics").await.body).await;
}
