//! `voicegraph demo`: a conversation that anybody can hear, without keys and services.

use std::path::Path;

use serde_json::Value;
use voicegraph_database::{Database, Options};
use voicegraph_tests::program;
use voicegraph_tests::scenario::clinic;
use voicegraph_tests::sound::{Sound, fell_silent, place};

/// One frame of sound, in µs: a voice that is told to be silent may finish it.
const FRAME_US: u64 = 20_000;

struct Demo {
    said: String,
    caller: Sound,
    agent: Sound,
    wav: Vec<u8>,
    report: Value,
}

async fn play() -> Demo {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["demo", "--output", "call.wav", "--report", "call.json"];
    let said = program::run(folder.path(), &arguments, &[]).await.succeeded();
    let wav = folder.path().join("call.wav");
    let mut channels = Sound::read(&wav).into_iter();
    let (Some(caller), Some(agent), None) = (channels.next(), channels.next(), channels.next())
    else {
        panic!("the recording is not stereo");
    };
    let report = read_json(&folder.path().join("call.json"));
    Demo { said, caller, agent, wav: std::fs::read(wav).unwrap(), report }
}

fn read_json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn turns<'a>(report: &'a Value, outcome: &str) -> Vec<&'a Value> {
    let turns = report["turns"].as_array().unwrap().iter();
    turns.filter(|turn| turn["outcome"] == outcome).collect()
}

#[tokio::test]
async fn the_conversation_has_answers_and_a_barge_in() {
    let demo = play().await;
    assert_eq!(demo.report["reason"], "finished");
    assert!(turns(&demo.report, "completed").len() >= 3, "{:#}", demo.report);
    assert_eq!(turns(&demo.report, "interrupted").len(), 1, "{:#}", demo.report);
    let lines = |who: &str| demo.said.lines().filter(|line| line.contains(who)).count();
    assert!(lines(" s  caller ") >= 4 && lines(" s  agent ") >= 4, "{}", demo.said);
    assert_eq!(lines(" s  tool "), 3, "{}", demo.said);
    assert_eq!(lines("(interrupted; heard: \"We are open Monday to Friday"), 1, "{}", demo.said);
    for table in ["Turns (ms)", "engine-added", "Edges (ms)", "llm.text -> tts.text"] {
        assert!(demo.said.contains(table), "no {table:?} in\n{}", demo.said);
    }
}

#[tokio::test]
async fn both_voices_are_in_the_recording() {
    let demo = play().await;
    for (who, voice) in [("caller", &demo.caller), ("agent", &demo.agent)] {
        assert_eq!(voice.rate_hz, 24_000);
        assert!(voice.loudness() > 300.0, "the {who} is hardly heard");
    }
    let length_us = demo.report["duration_us"].as_u64().unwrap();
    let recorded = demo.agent.samples.len().abs_diff(place(24_000, length_us));
    assert!(recorded <= place(24_000, 3 * FRAME_US), "the recording is not as long as the call");
}

#[tokio::test]
async fn the_agent_is_silent_within_a_frame_of_the_interruption() {
    let demo = play().await;
    let [interrupted] = turns(&demo.report, "interrupted")[..] else { panic!("one barge-in") };
    let ended_us = interrupted["ended_at_us"].as_u64().unwrap();
    let told_us = interrupted["held_at_us"].as_u64().unwrap_or(ended_us);
    let latest = place(demo.agent.rate_hz, told_us + FRAME_US);
    let until = place(demo.agent.rate_hz, ended_us);
    // The answer to the first question is the agent's second turn: the greeting was the first.
    let before = turns(&demo.report, "completed")[0]["ended_at_us"].as_u64().unwrap();
    let begin = demo.agent.first_sound(place(demo.agent.rate_hz, before + FRAME_US)).unwrap();
    let whole = Sound::read(&clinic().join("demo/agent-hours.wav")).remove(0);
    let lead = whole.first_sound(0).unwrap();
    let whole = Sound { samples: whole.samples[lead..].to_vec(), ..whole };
    fell_silent(&demo.agent, &whole, begin, latest, until.max(latest + 960)).unwrap();
}

#[tokio::test]
async fn the_row_that_is_printed_is_in_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let said = program::run(folder.path(), &["demo"], &[]).await.succeeded();
    let row = ["7", "Ben Carrow", "Dr Amelia Hart", "Tue 2026-03-10 10:00 GMT", "booked"];
    let printed = |line: &&str| row.iter().all(|cell| line.contains(cell));
    assert_eq!(said.lines().filter(printed).count(), 1, "{said}");
    let url = Options::file_url(&folder.path().join("demo.db"));
    let database = Database::open(Options::new(url).build("dev").unwrap());
    let mut lease = database.acquire().await.unwrap();
    let rows: Vec<(i64, String, String)> = sqlx::query_as(
        "select id, appointment_datetime, status from appointments where session_id is not null",
    )
    .fetch_all(lease.sqlite().unwrap())
    .await
    .unwrap();
    assert_eq!(rows, [(7, "2026-03-10T10:00:00Z".to_owned(), "booked".to_owned())]);
}

#[tokio::test]
async fn it_goes_the_same_way_every_time() {
    let (first, second) = tokio::join!(play(), play());
    assert_eq!(first.said, second.said);
    assert!(first.wav == second.wav, "the recordings differ");
    assert_eq!(first.report, second.report);
}
