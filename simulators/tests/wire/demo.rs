//! The demo's own script: it must be readable, and its speech must fit its words.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use voicegraph_simulators::caller::{What, When};
use voicegraph_simulators::{Folder, Script, Simulators};

use crate::client::{Socket, silence};

fn demo() -> (Script, PathBuf) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../pipelines/clinic/demo");
    let text = std::fs::read_to_string(folder.join("script.toml")).unwrap();
    (Script::from_toml(&text, &Folder(folder.clone())).unwrap(), folder)
}

#[test]
fn one_caller_line_interrupts() {
    let (script, _) = demo();
    let lines = &script.caller.lines;
    assert_eq!(lines.len(), 4);
    let barge_ins = lines.iter().filter(|line| matches!(line.when, When::DuringAgent(_)));
    assert_eq!(barge_ins.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn every_caller_line_is_one_utterance() {
    let (script, _) = demo();
    let lines = script.caller.lines.clone();
    let simulators = Simulators::new(script);
    for endpointing in [200, 300] {
        let path = format!(
            "/v1/listen?model=nova-3&encoding=linear16&sample_rate=16000&punctuate=true\
             &endpointing={endpointing}"
        );
        let key = ("authorization", "Token key");
        let mut socket = Socket::open(&simulators, &path, &[key]).await.unwrap();
        for line in &lines {
            let What::Voice(samples) = &line.what else { panic!("the demo is spoken") };
            socket.speak(&[samples, &silence(500)[..]].concat()).await;
            let (_, message) = socket.next_json().await;
            let heard = message["channel"]["alternatives"][0]["transcript"].as_str();
            assert_eq!(heard, Some(line.text.as_str()));
            assert_eq!(message["speech_final"], true);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn agent_lines_sound_as_recorded_when_they_come_word_by_word() {
    let (script, folder) = demo();
    let lines = &script.cartesia.lines;
    let line =
        lines.iter().find(|line| line.text.contains("on Tuesday at ten or")).unwrap().clone();
    let headers = [("authorization", "Bearer key"), ("cartesia-version", "2026-08-14")];
    let simulators = Simulators::new(script);
    let mut socket = Socket::open(&simulators, "/tts/websocket", &headers).await.unwrap();
    let pieces: Vec<_> = line.text.split_inclusive(' ').collect();
    for (index, piece) in pieces.iter().enumerate() {
        socket
            .json(json!({
                "context_id": "a", "model_id": "sonic-3", "transcript": piece,
                "continue": index + 1 < pieces.len(), "max_buffer_delay_ms": 0,
                "voice": { "mode": "id", "id": "v" },
                "output_format":
                    { "container": "raw", "encoding": "pcm_s16le", "sample_rate": 24_000 },
            }))
            .await;
    }
    let mut audio = Vec::new();
    loop {
        let (_, message) = socket.next_json().await;
        match message["data"].as_str() {
            Some(data) => audio.extend(STANDARD.decode(data).unwrap()),
            None => break,
        }
    }
    let wav = std::fs::read(folder.join("agent-tuesday.wav")).unwrap();
    assert!(audio == wav[wav.len() - audio.len()..], "it is another sound");
    assert_eq!(audio.len(), line.speech.samples.len() * 2);
}
