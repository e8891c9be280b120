//! The numbers as they are read: reports and exposition.

use std::sync::Arc;
use std::time::Duration;

use expect_test::{Expect, expect};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    EdgeReport, MAX_RECENT_TURNS, Metrics, Percentiles, PipelineMetrics, TurnSeries, Usage,
};
use crate::edge::{Limit, Overflow, edge};
use crate::event::{Event, Observer};
use crate::message::{Envelope, TextDelta};
use crate::resource::Resources;
use crate::resource::testing::{Answer, Fake};
use crate::turn::{Anchor, Outcome, TurnId, TurnReport};

const EDGE: &str = "llm.text -> tts.text";

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn clinic(metrics: &Metrics) -> Arc<PipelineMetrics> {
    metrics.pipeline("clinic", "dev", "f00d", "0.1.0")
}

fn ended(outcome: Outcome, e2e: Option<Duration>) -> Event {
    let report = TurnReport {
        turn: TurnId(1),
        anchor: Anchor::Vad,
        outcome,
        end_of_turn_delay: None,
        transcription_delay: None,
        llm_ttft: None,
        tts_ttfb: None,
        e2e,
        engine_added: e2e.map(|_| Duration::from_micros(150)),
        played: ms(0),
        barge_in_stop: None,
        flush: None,
    };
    Event::TurnEnded { heard: String::new(), report }
}

/// Sends five messages over an edge of two places: one is received after 30 ms, two are dropped.
async fn traffic(pipeline: &PipelineMetrics) -> impl Sized {
    let meter = pipeline.edge(EDGE, Limit::count(2), Overflow::DropNewest);
    let (mut output, mut input) = edge::<TextDelta>(&meter, CancellationToken::new());
    let delta = || Envelope::session(Instant::now() - ms(100), TextDelta { text: String::new() });
    for _ in 0..4 {
        output.send(delta()).await.unwrap();
    }
    tokio::time::advance(ms(30)).await;
    input.recv().await.unwrap();
    output.send(delta()).await.unwrap();
    (output, input)
}

#[tokio::test(start_paused = true)]
async fn a_live_edge_adds_up() {
    let metrics = Metrics::new();
    let pipeline = clinic(&metrics);
    let ends = traffic(&pipeline).await;
    let [edge] = pipeline.edge_reports().try_into().unwrap();
    let EdgeReport { sent, received, dropped, length, queue_us, age_us, .. } = edge;
    assert_eq!((sent, received, length, dropped["overflow"]), (5, 1, 2, 2));
    assert_eq!((queue_us.count, queue_us.p50.unwrap() / 100), (1, 300));
    assert_eq!(age_us.max.unwrap() / 100, 1_300);
    drop(ends);
    let [edge] = pipeline.edge_reports().try_into().unwrap();
    assert_eq!((edge.sent, edge.received, edge.length, edge.dropped["closed"]), (5, 1, 0, 2));
}

#[test]
fn the_last_turns_are_kept_and_no_more() {
    let pipeline = clinic(&Metrics::new());
    let all = MAX_RECENT_TURNS as u64 + 3;
    for at in 1..=all {
        pipeline.on(Instant::now(), &ended(Outcome::Completed, Some(ms(at))));
    }
    let recent = pipeline.recent_turns();
    let kept: Vec<_> = recent.iter().map(|turn| (turn.ended, turn.report.e2e)).collect();
    let wanted: Vec<_> = (4..=all).map(|at| (at, Some(ms(at)))).collect();
    assert_eq!(kept, wanted);
}

#[tokio::test(start_paused = true)]
async fn a_new_graph_goes_on_counting() {
    let metrics = Metrics::new();
    let pipeline = clinic(&metrics);
    drop(traffic(&pipeline).await);
    let again = metrics.pipeline("clinic", "dev", "cafe", "0.1.0");
    assert!(Arc::ptr_eq(&pipeline, &again));
    assert_eq!(pipeline.identity().fingerprint, "cafe");
    let same = again.edge(EDGE, Limit::count(2), Overflow::DropNewest);
    assert_eq!(same.counts().sent, 5);
    let other = again.edge(EDGE, Limit::count(9), Overflow::Block);
    assert_eq!(other.counts().sent, 0);
    let [edge] = again.edge_reports().try_into().unwrap();
    assert_eq!((edge.sent, edge.limit, edge.queue_us.count), (5, Limit::count(9), 1));
}

#[test]
fn an_edge_without_traffic_has_no_percentiles() {
    let metrics = Metrics::new();
    clinic(&metrics).edge(EDGE, Limit::millis(400), Overflow::Block);
    let [edge] = clinic(&metrics).edge_reports().try_into().unwrap();
    assert_eq!(edge.queue_us, Percentiles::default());
    let text = serde_json::to_string_pretty(&edge).unwrap();
    let expected = expect![[r#"
        {
          "edge": "llm.text -> tts.text",
          "sent": 0,
          "received": 0,
          "dropped": {
            "closed": 0,
            "overflow": 0,
            "stale": 0
          },
          "length": 0,
          "limit": {
            "millis": 400
          },
          "overflow": "block",
          "queue_us": {
            "count": 0
          },
          "age_us": {
            "count": 0
          }
        }"#]];
    expected.assert_eq(&text);
}

#[tokio::test]
async fn a_duration_that_is_not_known_is_not_counted() {
    let metrics = Metrics::new();
    let pipeline = clinic(&metrics);
    pipeline.on(Instant::now(), &ended(Outcome::Interrupted, None));
    assert!(pipeline.turns_us(TurnSeries::E2e).is_none());
    pipeline.on(Instant::now(), &ended(Outcome::Completed, Some(ms(700))));
    assert_eq!(pipeline.turns_us(TurnSeries::E2e).unwrap().len(), 1);
    assert!(pipeline.turns_us(TurnSeries::BargeInStop).is_none());
}

#[test]
fn a_call_counts_until_it_ends() {
    let metrics = Metrics::new();
    let pipeline = clinic(&metrics);
    let (first, second) = (pipeline.begin_call(), pipeline.begin_call());
    assert_eq!(metrics.sessions(), 2);
    first.end("finished");
    drop(second);
    assert_eq!(metrics.sessions(), 0);
    check(
        &metrics,
        &["voicegraph_sessions"],
        &expect![[r#"
        # HELP voicegraph_sessions Calls in progress.
        # TYPE voicegraph_sessions gauge
        voicegraph_sessions 0
        # HELP voicegraph_sessions_ended_total Calls that ended, by reason.
        # TYPE voicegraph_sessions_ended_total counter
        voicegraph_sessions_ended_total{reason="aborted"} 1
        voicegraph_sessions_ended_total{reason="finished"} 1
    "#]],
    );
}

#[tokio::test(start_paused = true)]
async fn the_exposition_is_what_prometheus_reads() {
    let metrics = Metrics::new();
    let pipeline = clinic(&metrics);
    let _ends = traffic(&pipeline).await;
    let names = ["_info", "edge_sent", "edge_received", "edge_dropped", "edge_length"];
    check(
        &metrics,
        &names,
        &expect![[r#"
        # HELP voicegraph_edge_dropped_total Messages dropped, by reason.
        # TYPE voicegraph_edge_dropped_total counter
        voicegraph_edge_dropped_total{edge="llm.text -> tts.text",reason="overflow"} 2
        voicegraph_edge_dropped_total{edge="llm.text -> tts.text",reason="stale"} 0
        voicegraph_edge_dropped_total{edge="llm.text -> tts.text",reason="closed"} 0
        # HELP voicegraph_edge_length Messages that wait on the edge now.
        # TYPE voicegraph_edge_length gauge
        voicegraph_edge_length{edge="llm.text -> tts.text"} 2
        # HELP voicegraph_edge_received_total Messages that a node received.
        # TYPE voicegraph_edge_received_total counter
        voicegraph_edge_received_total{edge="llm.text -> tts.text"} 1
        # HELP voicegraph_edge_sent_total Messages offered to the edge.
        # TYPE voicegraph_edge_sent_total counter
        voicegraph_edge_sent_total{edge="llm.text -> tts.text"} 5
        # HELP voicegraph_pipeline_info The graph that new calls get; always 1.
        # TYPE voicegraph_pipeline_info gauge
        voicegraph_pipeline_info{fingerprint="f00d",version="0.1.0"} 1
    "#]],
    );
}

#[test]
fn what_providers_bill_is_counted_by_unit() {
    let metrics = Metrics::new();
    let llm = clinic(&metrics).node("llm");
    llm.used(Usage::LlmInputTokens, 21);
    llm.used(Usage::LlmInputTokens, 9);
    llm.used(Usage::LlmOutputTokens, 7);
    let text = metrics.text().unwrap();
    let lines: Vec<&str> =
        text.lines().filter(|line| line.starts_with("voicegraph_node_usage_total")).collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[0].contains("unit=\"llm_input_tokens\"") && lines[0].ends_with(" 30"));
    assert!(lines[1].contains("unit=\"llm_output_tokens\"") && lines[1].ends_with(" 7"));
}

#[test]
fn sound_that_a_node_held_at_an_interruption_is_counted() {
    let metrics = Metrics::new();
    let tts = clinic(&metrics).node("tts");
    tts.discarded(ms(1_200));
    tts.discarded(ms(300));
    let text = metrics.text().unwrap();
    let line = text.lines().find(|line| line.starts_with("voicegraph_node_discarded_seconds"));
    assert!(line.is_some_and(|line| line.contains("node=\"tts\"") && line.ends_with(" 1.5")));
}

#[tokio::test]
async fn buckets_are_cumulative_and_end_at_the_count() {
    let metrics = Metrics::new();
    let pipeline = clinic(&metrics);
    for e2e in [40, 650, 700, 12_000] {
        pipeline.on(Instant::now(), &ended(Outcome::Completed, Some(ms(e2e))));
    }
    check(
        &metrics,
        &["turn_e2e"],
        &expect![[r#"
        # HELP voicegraph_turn_e2e_seconds End of the caller's speech to the answer's first sound.
        # TYPE voicegraph_turn_e2e_seconds histogram
        voicegraph_turn_e2e_seconds_bucket{le="0.05"} 1
        voicegraph_turn_e2e_seconds_bucket{le="0.1"} 1
        voicegraph_turn_e2e_seconds_bucket{le="0.2"} 1
        voicegraph_turn_e2e_seconds_bucket{le="0.3"} 1
        voicegraph_turn_e2e_seconds_bucket{le="0.4"} 1
        voicegraph_turn_e2e_seconds_bucket{le="0.5"} 1
        voicegraph_turn_e2e_seconds_bucket{le="0.65"} 2
        voicegraph_turn_e2e_seconds_bucket{le="0.8"} 3
        voicegraph_turn_e2e_seconds_bucket{le="1"} 3
        voicegraph_turn_e2e_seconds_bucket{le="1.25"} 3
        voicegraph_turn_e2e_seconds_bucket{le="1.5"} 3
        voicegraph_turn_e2e_seconds_bucket{le="2"} 3
        voicegraph_turn_e2e_seconds_bucket{le="3"} 3
        voicegraph_turn_e2e_seconds_bucket{le="5"} 3
        voicegraph_turn_e2e_seconds_bucket{le="10"} 3
        voicegraph_turn_e2e_seconds_bucket{le="+Inf"} 4
        voicegraph_turn_e2e_seconds_sum 13.387344
        voicegraph_turn_e2e_seconds_count 4
    "#]],
    );
}

#[test]
fn resources_are_read_when_asked_and_their_families_stay_together() {
    let metrics = Metrics::new();
    let fake = || Fake::new(Answer::Refusal) as _;
    let resources = Resources::new([("booking".into(), fake()), ("billing".into(), fake())]);
    clinic(&metrics).set_resources(resources);
    let names = ["fake_lines", "fake_waiting", "fake_asked", "wait_seconds_count", "le=\"0.00"];
    check(
        &metrics,
        &names,
        &expect![[r##"
        # HELP voicegraph_fake_asked_total Questions.
        # TYPE voicegraph_fake_asked_total counter
        voicegraph_fake_asked_total{node="booking"} 7
        voicegraph_fake_asked_total{node="billing"} 7
        # HELP voicegraph_fake_lines Lines, by state.
        # TYPE voicegraph_fake_lines gauge
        voicegraph_fake_lines{node="booking",state="busy"} 2
        voicegraph_fake_lines{node="booking",state="free"} 1
        voicegraph_fake_lines{node="billing",state="busy"} 2
        voicegraph_fake_lines{node="billing",state="free"} 1
        voicegraph_fake_wait_seconds_bucket{node="booking",le="0.0001"} 0
        voicegraph_fake_wait_seconds_bucket{node="booking",le="0.0002"} 0
        voicegraph_fake_wait_seconds_bucket{node="booking",le="0.0005"} 0
        voicegraph_fake_wait_seconds_bucket{node="booking",le="0.001"} 0
        voicegraph_fake_wait_seconds_bucket{node="booking",le="0.002"} 1
        voicegraph_fake_wait_seconds_bucket{node="booking",le="0.005"} 1
        voicegraph_fake_wait_seconds_count{node="booking"} 1
        voicegraph_fake_wait_seconds_bucket{node="billing",le="0.0001"} 0
        voicegraph_fake_wait_seconds_bucket{node="billing",le="0.0002"} 0
        voicegraph_fake_wait_seconds_bucket{node="billing",le="0.0005"} 0
        voicegraph_fake_wait_seconds_bucket{node="billing",le="0.001"} 0
        voicegraph_fake_wait_seconds_bucket{node="billing",le="0.002"} 1
        voicegraph_fake_wait_seconds_bucket{node="billing",le="0.005"} 1
        voicegraph_fake_wait_seconds_count{node="billing"} 1
        # HELP voicegraph_fake_waiting Who waits.
        # TYPE voicegraph_fake_waiting gauge
        voicegraph_fake_waiting{node="booking"} 4
        voicegraph_fake_waiting{node="billing"} 4
    "##]],
    );
    clinic(&metrics).set_resources(Resources::default());
    assert!(!metrics.text().unwrap().contains("fake"));
}

/// The lines of the exposition in which one of `names` stands, without the labels that each has.
fn check(metrics: &Metrics, names: &[&str], expected: &Expect) {
    let labels = r#"{pipeline="clinic",environment="dev""#;
    let text = metrics.text().unwrap();
    let lines = text.lines().filter(|line| names.iter().any(|name| line.contains(name)));
    let lines = lines.map(|line| {
        assert!(line.starts_with('#') || line.contains(labels), "{line}");
        line.replace(&format!("{labels},"), "{").replace(&format!("{labels}}}"), "") + "\n"
    });
    expected.assert_eq(&lines.collect::<String>());
}
