//! `voicegraph run`: one call on a WAV file.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::time::Instant;
use voicegraph_tests::program::{self, Ended};
use voicegraph_tests::sample::Sample;
use voicegraph_tests::scenario::clinic;
use voicegraph_tests::sound::Sound;

/// The silence after the file in which the agent may answer.
const TAIL: Duration = Duration::from_secs(4);

/// Runs the clinic on the demo's caller, who does not wait for answers.
async fn call(folder: &Path, more: &[&str]) -> Ended {
    let (pipeline, caller) = (clinic(), clinic().join("demo/caller.wav"));
    let files = [pipeline.to_str().unwrap(), "--input", caller.to_str().unwrap()];
    let fixed = ["--env", "dev", "--output", "out.wav", "--report", "report.json"];
    let arguments = [&["run"], &files[..], &fixed, more].concat();
    let database = Sample::new().await;
    program::run(folder, &arguments, &[database.variable()]).await
}

fn report(folder: &TempDir) -> Value {
    let text = std::fs::read_to_string(folder.path().join("report.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn a_file_is_answered_faster_than_it_was_spoken() {
    let folder = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let said = call(folder.path(), &[]).await.succeeded();
    let took = start.elapsed();
    assert!(said.contains("agent   Riverside Clinic, good morning."), "{said}");
    let report = report(&folder);
    let length = Duration::from_micros(report["duration_us"].as_u64().unwrap());
    assert!(took < length / 2, "{took:?} for a call of {length:?}");
    let caller = Sound::read(&clinic().join("demo/caller.wav")).remove(0);
    let file = Duration::from_secs_f64(caller.samples.len() as f64 / 16_000.0);
    assert!(length >= file + TAIL, "{length:?} for a file of {file:?}");
    assert_eq!(Sound::read(&folder.path().join("out.wav")).len(), 2);
}

#[tokio::test]
async fn the_report_adds_up() {
    let folder = tempfile::tempdir().unwrap();
    call(folder.path(), &[]).await.succeeded();
    let report = report(&folder);
    assert_eq!(report["reason"], "finished");
    let edges = report["edges"].as_array().unwrap();
    assert_eq!(edges.len(), 10, "the clinic's edges");
    for edge in edges {
        let number = |name: &str| edge[name].as_u64().unwrap_or_else(|| panic!("{name}: {edge:#}"));
        let dropped: u64 =
            edge["dropped"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
        assert_eq!(number("sent"), number("received") + dropped, "{edge:#}");
        assert_eq!(
            (number("length"), edge["queue_us"]["count"].as_u64()),
            (0, edge["received"].as_u64())
        );
        // A file speaks, and types nothing.
        let typed = edge["edge"] == "mic.input -> turn.input";
        assert_eq!(number("sent") > 0, !typed, "{edge:#}");
    }
    let turns = report["turns"].as_array().unwrap();
    assert!(turns.len() >= 3, "{turns:#?}");
    // The greeting asks no model.
    let answers = turns.iter().filter(|turn| turn["anchor"] != "call_start");
    for turn in answers.filter(|turn| !turn["e2e_us"].is_null()) {
        let us = |name: &str| turn[name].as_u64().unwrap_or_else(|| panic!("{name}: {turn:#}"));
        assert!(us("engine_added_us") <= us("e2e_us"), "{turn:#}");
        assert!(us("end_of_turn_delay_us") <= us("e2e_us"), "{turn:#}");
        let outside = us("llm_ttft_us") + us("tts_ttfb_us");
        assert!(us("e2e_us") >= us("end_of_turn_delay_us") + outside, "{turn:#}");
        assert!(us("ended_at_us") <= report["duration_us"].as_u64().unwrap(), "{turn:#}");
    }
}
