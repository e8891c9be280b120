//! The routes over a real socket.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::{State, router, serve};
use crate::connect::{Connector, Roots};
use crate::edge::{Limit, Overflow, edge};
use crate::event::{Event, Observer as _};
use crate::graph::{Graph, GraphNode};
use crate::message::{Envelope, TextDelta};
use crate::metrics::Metrics;
use crate::node::{Node, NodeFactory};
use crate::resource::Resource;
use crate::resource::testing::{self, Fake};
use crate::runtime::{Admission, Pipeline, Runtime, Runtimes};
use crate::session::Limits;
use crate::signature::Signature;
use crate::transport::scripted;
use crate::transport::websocket::{Answer, End};
use crate::turn::{Anchor, Outcome, TurnId, TurnReport};

/// Far more than any answer takes on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(20);

struct Server {
    address: std::net::SocketAddr,
    metrics: Arc<Metrics>,
    runtime: Arc<Runtime>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

fn graph() -> Graph {
    let name = "clinic".to_owned();
    let environment = "dev".to_owned();
    let fingerprint = "f00d".to_owned();
    let variables = Default::default();
    Graph { name, environment, fingerprint, variables, nodes: Vec::new(), edges: Vec::new() }
}

/// A graph with a node whose calls share `fake`.
fn graph_with(fake: &Arc<Fake>) -> Graph {
    let factory = Arc::new(Sharing(Arc::clone(fake)));
    let signature = Signature::new(Vec::new(), Vec::new());
    let node = GraphNode { name: "booking".into(), kind: "sharing", signature, factory };
    Graph { nodes: vec![node], ..graph() }
}

struct Sharing(Arc<Fake>);

impl NodeFactory for Sharing {
    fn create(&self) -> Box<dyn Node> {
        unreachable!("no call is made")
    }

    fn resource(&self) -> Option<Arc<dyn Resource>> {
        Some(Arc::clone(&self.0) as _)
    }
}

impl Server {
    async fn start() -> Self {
        Self::serving(graph()).await
    }

    async fn serving(graph: Graph) -> Self {
        Self::serving_all(vec![graph]).await
    }

    /// Serves several pipelines; the first is the default.
    async fn serving_all(graphs: Vec<Graph>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let metrics = Arc::new(Metrics::new());
        let admission = Arc::new(Admission::new(2));
        let mut runtimes = graphs.into_iter().map(|graph| {
            let pipeline = Pipeline::new(Arc::new(graph), &metrics, "1.2.3");
            let (connector, clock) = (Connector::new(&Roots::Mozilla), || SystemTime::UNIX_EPOCH);
            let (places, limits) = (Arc::clone(&admission), Limits::default());
            Arc::new(Runtime::new(pipeline, connector, clock, places, limits, 0))
        });
        let runtime = runtimes.next().unwrap();
        let runtimes = Runtimes::new(Arc::clone(&runtime), runtimes).unwrap();
        let stop = CancellationToken::new();
        let state = State { metrics: Arc::clone(&metrics), runtimes, version: "0.1.0" };
        let task = tokio::spawn(serve(listener, router(state), stop.clone()));
        Self { address, metrics, runtime, stop, task }
    }

    /// Sends a request's head and gives the whole answer.
    async fn ask(&self, head: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!("{head}\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
        answer
    }

    async fn get(&self, path: &str) -> String {
        self.ask(&format!("GET {path} HTTP/1.1")).await
    }
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

#[tokio::test]
async fn edges_are_live_and_add_up() {
    let server = Server::start().await;
    let pipeline = server.metrics.pipeline("clinic", "dev", "f00d", "0.1.0");
    let meter = pipeline.edge("llm.text -> tts.text", Limit::count(8), Overflow::Block);
    let (mut output, mut input) = edge::<TextDelta>(&meter, CancellationToken::new());
    for _ in 0..3 {
        let delta = TextDelta { text: "secret words".to_owned() };
        output.send(Envelope::session(Instant::now(), delta)).await.unwrap();
    }
    input.recv().await.unwrap();
    let answer = server.get("/edges").await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("cache-control: no-store"));
    assert!(!answer.contains("secret"));
    let edges: serde_json::Value = serde_json::from_str(body(&answer)).unwrap();
    let edge = &edges["pipelines"][0]["edges"][0];
    assert_eq!(
        (&edge["sent"], &edge["received"], &edge["length"]),
        (&3.into(), &1.into(), &2.into())
    );
    assert_eq!(edge["queue_us"]["count"], 1);
}

#[tokio::test]
async fn turns_are_told_by_their_times_alone() {
    let server = Server::start().await;
    let pipeline = server.metrics.pipeline("clinic", "dev", "f00d", "0.1.0");
    let report = TurnReport {
        turn: TurnId(2),
        anchor: Anchor::Vad,
        outcome: Outcome::Interrupted,
        end_of_turn_delay: None,
        transcription_delay: None,
        llm_ttft: None,
        tts_ttfb: None,
        e2e: Some(Duration::from_millis(750)),
        engine_added: None,
        played: Duration::ZERO,
        barge_in_stop: None,
        flush: None,
    };
    pipeline.on(Instant::now(), &Event::TurnEnded { heard: "secret words".to_owned(), report });
    let answer = server.get("/turns").await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("cache-control: no-store"));
    assert!(!answer.contains("secret"), "{answer}");
    let told: serde_json::Value = serde_json::from_str(body(&answer)).unwrap();
    assert_eq!(told["pipelines"][0]["pipeline"], "clinic");
    let turn = &told["pipelines"][0]["turns"][0];
    assert_eq!((&turn["ended"], &turn["turn"]), (&1.into(), &2.into()));
    assert_eq!((&turn["outcome"], &turn["e2e_us"]), (&"interrupted".into(), &750_000.into()));
    assert!(turn["engine_added_us"].is_null(), "what is not known is no 0");
}

#[tokio::test]
async fn metrics_have_their_media_type() {
    let server = Server::start().await;
    drop(server.metrics.pipeline("clinic", "dev", "f00d", "0.1.0").begin_call());
    let answer = server.get("/metrics").await;
    assert!(answer.contains("content-type: text/plain; version=0.0.4"), "{answer}");
    assert!(answer.contains("# TYPE voicegraph_sessions gauge\n"), "{answer}");
}

#[tokio::test]
async fn health_says_places_and_when_it_drains() {
    let server = Server::start().await;
    let permit = server.runtime.admit().unwrap();
    let answer = server.get("/health").await;
    let health: serde_json::Value = serde_json::from_str(body(&answer)).unwrap();
    assert_eq!(health["status"], "ok");
    assert_eq!((&health["sessions"], &health["max_sessions"]), (&1.into(), &2.into()));
    assert_eq!((&health["fingerprint"], &health["version"]), (&"f00d".into(), &"0.1.0".into()));
    server.runtime.admission().close();
    let answer = server.get("/health").await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("\"draining\""), "{answer}");
    drop(permit);
}

#[tokio::test]
async fn several_pipelines_are_told_of_together() {
    let hotel = |name: &str| Graph {
        name: name.to_owned(),
        ..graph_with(&Fake::new(testing::Answer::Refusal))
    };
    let server = Server::serving_all(vec![graph(), hotel("hotel")]).await;
    let answer = server.get("/health").await;
    let health: serde_json::Value = serde_json::from_str(body(&answer)).unwrap();
    assert_eq!((&health["pipeline"], &health["status"]), (&"clinic".into(), &"failing".into()));
    assert_eq!(health["checks"], serde_json::json!({}));
    let names: Vec<_> = health["pipelines"].as_array().unwrap().iter().collect();
    assert_eq!((&names[0]["pipeline"], &names[1]["pipeline"]), (&"clinic".into(), &"hotel".into()));
    assert_eq!(names[1]["checks"]["booking"]["ok"], false);
    assert!(server.get("/ready").await.starts_with("HTTP/1.1 503"), "one of them cannot serve");
    for (query, expected) in [("", "clinic"), ("?pipeline=hotel", "hotel")] {
        let answer =
            server.ask(&format!("GET /graph{query} HTTP/1.1\r\naccept: application/json")).await;
        let graph: serde_json::Value = serde_json::from_str(body(&answer)).unwrap();
        assert_eq!(graph["name"], expected, "{answer}");
    }
    let answer = server.get("/graph?pipeline=bank").await;
    assert!(answer.starts_with("HTTP/1.1 404") && answer.contains("clinic, hotel"), "{answer}");
}

#[tokio::test]
async fn one_pipeline_is_told_of_as_ever() {
    let answer = Server::start().await.get("/health").await;
    let health: serde_json::Value = serde_json::from_str(body(&answer)).unwrap();
    let mut keys: Vec<&str> = health.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    let expected = ["checks", "environment", "fingerprint", "max_sessions", "pipeline", "sessions"];
    assert_eq!(keys, [&expected[..], &["status", "version"]].concat());
}

/// The status code, the word for it, and the check of the node `booking`.
async fn asked(server: &Server, path: &str) -> (String, String, serde_json::Value) {
    let answer = server.get(path).await;
    let report: serde_json::Value = serde_json::from_str(body(&answer)).unwrap();
    let status = report["status"].as_str().unwrap().to_owned();
    (answer["HTTP/1.1 ".len()..][..3].to_owned(), status, report["checks"]["booking"].clone())
}

#[tokio::test]
async fn a_check_that_passes_is_shown_and_answers_both_paths() {
    let fake = Fake::new(testing::Answer::After(Duration::from_millis(2)));
    let server = Server::serving(graph_with(&fake)).await;
    for path in ["/health", "/ready"] {
        let (code, status, check) = asked(&server, path).await;
        assert_eq!((code.as_str(), status.as_str()), ("200", "ok"), "{path}");
        assert_eq!((&check["ok"], check.get("error")), (&true.into(), None));
        assert!(check["latency_ms"].as_f64().unwrap() >= 2.0, "{check}");
    }
    let metrics = server.get("/metrics").await;
    let labels = "pipeline=\"clinic\",environment=\"dev\",node=\"booking\"";
    let busy = format!("\nvoicegraph_fake_lines{{{labels},state=\"busy\"}} 2\n");
    assert!(metrics.contains(&busy), "{metrics}");
}

#[tokio::test]
async fn a_check_that_fails_takes_the_process_out_of_service_and_not_down() {
    for answer in [testing::Answer::Refusal, testing::Answer::Never] {
        let server = Server::serving(graph_with(&Fake::new(answer))).await;
        let (code, status, check) = asked(&server, "/health").await;
        assert_eq!((code.as_str(), status.as_str()), ("200", "failing"), "{answer:?}");
        assert_eq!(check["ok"], false);
        assert!(
            ["the line is cut", "no answer within 800 ms"]
                .contains(&check["error"].as_str().unwrap())
        );
        let (code, status, _) = asked(&server, "/ready").await;
        assert_eq!((code.as_str(), status.as_str()), ("503", "failing"), "{answer:?}");
        server.runtime.admission().close();
        for path in ["/health", "/ready"] {
            let (code, status, _) = asked(&server, path).await;
            assert_eq!((code.as_str(), status.as_str()), ("503", "draining"), "{path}");
        }
    }
}

#[tokio::test]
async fn a_new_graph_is_the_one_that_is_asked_and_shown() {
    let (old, new) = (Fake::new(testing::Answer::Refusal), Fake::new(testing::Answer::Refusal));
    new.set(testing::Answer::After(Duration::ZERO));
    let server = Server::serving(graph_with(&old)).await;
    assert_eq!(asked(&server, "/ready").await.0, "503");
    let next = Pipeline::new(Arc::new(graph_with(&new)), &server.metrics, "1.2.3");
    server.runtime.replace(next);
    assert_eq!(asked(&server, "/ready").await.0, "200");
    assert_eq!((old.asked(), new.asked()), (1, 1));
    server.runtime.replace(Pipeline::new(Arc::new(graph()), &server.metrics, "1.2.3"));
    assert_eq!(asked(&server, "/ready").await.0, "200");
    assert!(!server.get("/metrics").await.contains("voicegraph_fake"));
}

#[tokio::test]
async fn the_graph_comes_as_asked() {
    let server = Server::start().await;
    let answer = server.get("/graph").await;
    assert!(answer.contains("content-type: image/svg+xml; charset=utf-8"), "{answer}");
    assert!(body(&answer).starts_with("<svg"), "{answer}");
    assert!(body(&server.get("/graph?format=dot").await).starts_with("digraph"));
    assert!(body(&server.get("/graph?format=mermaid").await).contains("flowchart LR"));
    let accept = "GET /graph HTTP/1.1\r\naccept: application/json";
    let answer = server.ask(accept).await;
    let drawn: serde_json::Value = serde_json::from_str(body(&answer)).unwrap();
    assert_eq!(drawn["name"], "clinic");
    let refused = server.get("/graph?format=png").await;
    assert!(refused.starts_with("HTTP/1.1 406"), "{refused}");
    assert!(refused.contains("svg (image/svg+xml), mermaid (text/vnd.mermaid)"), "{refused}");
}

#[tokio::test]
async fn the_page_asks_nobody_else() {
    let server = Server::start().await;
    let answer = server.get("/").await;
    assert!(answer.contains("content-security-policy: default-src 'none'"), "{answer}");
    let page = body(&answer).replace("http://www.w3.org/2000/svg", "");
    assert!(!page.contains("http://") && !page.contains("https://"), "an address outside");
    assert!(!page.contains("src=") && !page.contains("<link"), "something to load");
}

#[tokio::test]
async fn what_is_not_there_or_not_allowed_says_so() {
    let server = Server::start().await;
    let post = server.ask("POST /edges HTTP/1.1\r\ncontent-length: 0").await;
    assert!(post.starts_with("HTTP/1.1 405") && post.contains("allow: GET"), "{post}");
    let unknown = server.get("/edge").await;
    assert!(unknown.starts_with("HTTP/1.1 404") && unknown.contains("/edges"), "{unknown}");
}

#[tokio::test]
async fn a_head_beyond_the_limit_is_refused() {
    let server = Server::start().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = format!("GET / HTTP/1.1\r\nx-long: {}", "x".repeat(33 * 1_024));
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn a_stop_ends_idle_connections() {
    let server = Server::start().await;
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    idle.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    server.stop.cancel();
    timeout(PATIENCE, server.task).await.expect("the server stops").unwrap();
    let mut rest = Vec::new();
    timeout(PATIENCE, idle.read_to_end(&mut rest)).await.unwrap().unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn a_websocket_call_takes_a_place_of_the_runtime() {
    let server = Server::start().await;
    let runtime = Arc::clone(&server.runtime);
    let calls = super::Calls { runtime, variables: Default::default() };
    let (first, second) = (calls.admit().ok(), calls.admit().ok());
    assert!(first.is_some() && second.is_some());
    let busy = calls.admit().err().unwrap();
    assert_eq!(busy.reason, "all 2 places are taken");
    drop(first);
    let place = calls.admit().ok().unwrap();
    let script = scripted::Script::new(Vec::new());
    let end = timeout(PATIENCE, place(scripted::call(script, None))).await.unwrap();
    assert_eq!(end, End { reason: "finished".to_owned(), message: None, ..end.clone() });
    assert_eq!(end.session.len(), 32, "{end:?}");
    assert_eq!(server.runtime.admission().in_progress(), 1);
}
