//! A call at the pace of speech, watched over HTTP while it goes on.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use voicegraph_tests::program::Process;
use voicegraph_tests::sample::Sample;
use voicegraph_tests::scenario::clinic;
use voicegraph_tests::sound::Sound;
use voicegraph_tests::{http, promtool, python, workspace};

/// How long the figures may take to show what a call of some seconds does.
const LIMIT: Duration = Duration::from_secs(20);

/// How long a checker of the metrics may take.
const CHECK_LIMIT: Duration = Duration::from_secs(30);

/// At how many instants the figures must add up.
const LOOKS: usize = 5;

/// Starts a call with a short question, and says where it is watched.
async fn call(folder: &Path, database: &Sample) -> (Process, String) {
    let caller = Sound::read(&clinic().join("demo/caller.wav")).remove(0);
    let (input, output) = (folder.join("in.wav"), folder.join("out.wav"));
    caller.part(0, 2_041).after_silence(500).write(&input);
    let files = ["--input", input.to_str().unwrap(), "--output", output.to_str().unwrap()];
    let fixed = ["run", "pipelines/clinic", "--env", "dev", "--realtime", "--http", "127.0.0.1:0"];
    let mut process = Process::start(&[&fixed[..], &files].concat(), &[database.variable()]);
    let authority = process.address("http://").await;
    (process, authority)
}

/// The number of messages sent so far on all edges, once each edge adds up.
fn added_up(edges: &Value) -> u64 {
    let edges = edges["pipelines"][0]["edges"].as_array().expect("one pipeline");
    assert_eq!(edges.len(), 10, "the clinic's edges");
    let sent = |edge: &Value| {
        let number = |name: &str| edge[name].as_u64().unwrap_or_else(|| panic!("{name}: {edge:#}"));
        let dropped = edge["dropped"].as_object().unwrap().values().map(|n| n.as_u64().unwrap());
        let passed = number("received") + dropped.sum::<u64>();
        assert_eq!(number("sent"), passed + number("length"), "{edge:#}");
        number("sent")
    };
    edges.iter().map(sent).sum()
}

#[tokio::test]
async fn the_figures_of_a_call_in_progress_add_up_and_grow() {
    let folder = tempfile::tempdir().unwrap();
    let database = Sample::new().await;
    let (mut process, authority) = call(folder.path(), &database).await;
    let mut sent = 0;
    for _ in 0..LOOKS {
        let grown = |edges: &Value| added_up(edges) > sent;
        sent = added_up(&http::until(&authority, "/edges", LIMIT, grown).await);
    }
    let heard = |edges: &Value| received(edges, "tts.audio -> speaker.audio") > 10;
    http::until(&authority, "/edges", LIMIT, heard).await;
    assert_eq!(http::get(&authority, "/health").await.json()["sessions"], 1);
    metrics_add_up(&http::get(&authority, "/metrics").await.body);
    assert!(process.ended().await.success());
    let voices = Sound::read(&folder.path().join("out.wav"));
    assert!(voices.iter().all(|voice| voice.loudness() > 100.0), "a voice is missing");
}

fn received(edges: &Value, name: &str) -> u64 {
    let edges = edges["pipelines"][0]["edges"].as_array().unwrap();
    edges.iter().find(|edge| edge["edge"] == name).unwrap()["received"].as_u64().unwrap()
}

/// The same sum from the other page.
fn metrics_add_up(page: &str) {
    let sum = |family: &str| -> f64 {
        let lines = page.lines().filter(|line| line.starts_with(&format!("{family}{{")));
        lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
    };
    let passed = sum("voicegraph_edge_received_total") + sum("voicegraph_edge_dropped_total");
    assert_eq!(sum("voicegraph_edge_sent_total"), passed + sum("voicegraph_edge_length"));
    assert_eq!(sum("voicegraph_sessions"), 1.0);
    assert!(sum("voicegraph_edge_queue_seconds_count") > 0.0);
}

#[tokio::test]
async fn the_metrics_are_valid_for_prometheus_and_each_says_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let database = Sample::new().await;
    let (process, authority) = call(folder.path(), &database).await;
    let heard = |edges: &Value| received(edges, "tts.audio -> speaker.audio") > 10;
    http::until(&authority, "/edges", LIMIT, heard).await;
    let page = http::get(&authority, "/metrics").await;
    process.stop().await;
    assert!(page.head.contains("content-type: text/plain; version=0.0.4"), "{}", page.head);
    promtool::accepts(&page.body).await;
    let file = folder.path().join("metrics.txt");
    std::fs::write(&file, &page.body).unwrap();
    python_accepts(&file).await;
}

async fn python_accepts(page: &Path) {
    let Some(python) = python::with_sdks().await else {
        return workspace::skip("prometheus_client", "no python3 with venv");
    };
    let output = python::run(&python, &["metrics.py", page.to_str().unwrap()], CHECK_LIMIT).await;
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    for family in ["voicegraph_edge_queue_seconds histogram", "voicegraph_edge_sent counter"] {
        assert!(said.contains(family), "no {family} in\n{said}");
    }
}

#[tokio::test]
async fn graph_health_and_first_page_are_served() {
    let folder = tempfile::tempdir().unwrap();
    let database = Sample::new().await;
    let (process, authority) = call(folder.path(), &database).await;
    for (format, media_type, part) in [
        ("svg", "image/svg+xml", "<svg"),
        ("mermaid", "text/vnd.mermaid", "flowchart LR"),
        ("dot", "text/vnd.graphviz", "digraph"),
        ("json", "application/json", "{"),
    ] {
        let graph = http::get(&authority, &format!("/graph?format={format}")).await;
        assert_eq!(graph.status, 200, "{format}");
        assert!(graph.head.contains(&format!("content-type: {media_type}")), "{}", graph.head);
        assert!(graph.body.contains(part), "{format}: {}", graph.body);
    }
    let health = http::get(&authority, "/health").await;
    assert_eq!((health.status, &health.json()["status"]), (200, &"ok".into()));
    let page = http::get(&authority, "/").await;
    assert!(page.status == 200 && page.body.contains("</html>"), "{}", page.body);
    assert_eq!(http::get(&authority, "/nowhere").await.status, 404);
    process.stop().await;
}
