//! `/tts/*`: what is spoken, chunk by chunk.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use voicegraph_simulators::Simulators;

use crate::client::{Got, Http, Socket, post, refusal, simulators};

const KEY: (&str, &str) = ("authorization", "Bearer key");
const NEW: (&str, &str) = ("cartesia-version", "2026-08-14");
const OLD: (&str, &str) = ("cartesia-version", "2025-04-16");
const SCRIPT: &str = "
    [cartesia]
    first_byte_ms = 90
    chunk_ms = 40
    speed = 10.0
    ms_per_char = 10
";

async fn open(script: &str) -> Socket {
    Socket::open(&simulators(script), "/tts/websocket", &[KEY, NEW]).await.unwrap()
}

/// A request for `context`, with `changes`.
fn speak(context: &str, text: &str, changes: Value) -> Value {
    let mut request = json!({
        "context_id": context, "model_id": "sonic-3", "transcript": text, "language": "en",
        "voice": { "mode": "id", "id": "v" }, "continue": true, "max_buffer_delay_ms": 0,
        "output_format": { "container": "raw", "encoding": "pcm_s16le", "sample_rate": 24_000 },
    });
    let Value::Object(changes) = changes else { panic!("not an object: {changes}") };
    for (key, value) in changes {
        request[key] = value;
    }
    request
}

fn last(context: &str, text: &str) -> Value {
    speak(context, text, json!({ "continue": false }))
}

fn audio(message: &Value) -> Vec<u8> {
    STANDARD.decode(message["data"].as_str().unwrap()).unwrap()
}

/// The kinds and times of all messages up to `done` or an error; for chunks their ms of audio.
async fn told(socket: &mut Socket) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let (at, message) = socket.next_json().await;
        let kind = message["type"].as_str().unwrap().to_owned();
        let ms = if kind == "chunk" {
            format!(" {}", audio(&message).len() / 48)
        } else {
            String::new()
        };
        all.push(format!("{at} {kind}{ms}"));
        if message["done"] == true {
            return all;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn chunks_come_on_an_exact_grid() {
    let mut socket = open(SCRIPT).await;
    socket.json(last("a", "Ten chars!")).await;
    assert_eq!(told(&mut socket).await, ["90 chunk 40", "94 chunk 40", "98 chunk 20", "98 done"]);
}

#[tokio::test(start_paused = true)]
async fn pieces_of_a_context_follow_each_other() {
    let mut socket = open(SCRIPT).await;
    socket.json(speak("a", "Eight ch", json!({}))).await;
    tokio::time::sleep(Duration::from_millis(2)).await;
    socket.json(speak("a", "Four", json!({}))).await;
    // The second piece is ready at 92 and waits for the first; the third begins a new stretch.
    for expected in [90, 94, 98] {
        let (at, message) = socket.next_json().await;
        assert_eq!((at, &message["type"]), (expected, &json!("chunk")));
    }
    socket.json(last("a", "Four")).await;
    assert_eq!(told(&mut socket).await, ["188 chunk 40", "188 done"]);
}

#[tokio::test(start_paused = true)]
async fn text_waits_for_a_clause_or_for_its_delay() {
    let delay = |text: &str| speak("a", text, json!({ "max_buffer_delay_ms": 400 }));
    let mut socket = open(SCRIPT).await;
    socket.json(delay("Yes, it")).await;
    let (at, message) = socket.next_json().await;
    assert_eq!((at, audio(&message).len()), (90, 40 * 48), "`Yes,` is a clause");
    socket.json(delay(" is")).await;
    let (at, message) = socket.next_json().await;
    assert_eq!((at, audio(&message).len()), (490, 40 * 48), "` it is` waits from the first `it`");
}

#[tokio::test(start_paused = true)]
async fn flush_speaks_what_waits_and_says_when_it_is_done() {
    let mut socket = open(SCRIPT).await;
    let wait = json!({ "max_buffer_delay_ms": 5_000 });
    socket.json(speak("a", "Four", wait.clone())).await;
    socket.json(speak("a", "", json!({ "flush": true, "max_buffer_delay_ms": 5_000 }))).await;
    let (at, chunk) = socket.next_json().await;
    assert_eq!((at, &chunk["flush_id"], &chunk["status_code"]), (90, &json!(1), &json!(206)));
    let (at, flushed) = socket.next_json().await;
    let expected = json!({ "type": "flush_done", "done": false, "flush_done": true,
        "flush_id": 1, "status_code": 206, "context_id": "a" });
    assert_eq!((at, flushed), (90, expected));
    socket
        .json(speak("a", "Four", json!({ "continue": false, "max_buffer_delay_ms": 5_000 })))
        .await;
    assert_eq!(socket.next_json().await.1["flush_id"], 2);
    assert_eq!(socket.next_json().await.1["type"], "done");
}

#[tokio::test(start_paused = true)]
async fn timestamps_follow_the_audio_they_describe() {
    let mut socket = open(SCRIPT).await;
    socket
        .json(speak("a", "abcd efghi", json!({ "continue": false, "add_timestamps": true })))
        .await;
    let mut times = Vec::new();
    loop {
        let (at, message) = socket.next_json().await;
        match message["type"].as_str().unwrap() {
            "timestamps" => times.push((at, message["word_timestamps"].clone())),
            "done" => break,
            _ => {}
        }
    }
    let word = |word, start, end| json!({ "words": [word], "start": [start], "end": [end] });
    assert_eq!(times, [(90, word("abcd", 0.0, 0.04)), (94, word("efghi", 0.05, 0.1))]);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_context_says_nothing_more() {
    let mut socket = open(SCRIPT).await;
    socket.json(speak("a", &"x".repeat(100), json!({}))).await;
    socket.next_json().await;
    socket.json(json!({ "context_id": "a", "cancel": true })).await;
    socket.json(last("b", "Four")).await;
    let (at, message) = socket.next_json().await;
    assert_eq!((at, &message["context_id"]), (180, &json!("b")));
}

#[tokio::test(start_paused = true)]
async fn contexts_run_side_by_side() {
    let mut socket = open(SCRIPT).await;
    socket.json(last("a", "Eight ch")).await;
    socket.json(last("b", "Eight ch")).await;
    let mut ids = Vec::new();
    for _ in 0..6 {
        let (at, message) = socket.next_json().await;
        ids.push(format!(
            "{at} {} {}",
            message["context_id"].as_str().unwrap(),
            message["type"].as_str().unwrap()
        ));
    }
    let expected =
        ["90 a chunk", "90 b chunk", "94 a chunk", "94 a done", "94 b chunk", "94 b done"];
    assert_eq!(ids, expected);
}

#[tokio::test(start_paused = true)]
async fn a_context_without_more_text_expires() {
    let mut socket = open(SCRIPT).await;
    socket.json(speak("a", "Four", json!({}))).await;
    assert_eq!(told(&mut socket).await, ["90 chunk 40", "1094 done"]);
    socket.json(speak("a", "more", json!({}))).await;
    assert_eq!(socket.next_json().await.1["status_code"], 400);
}

#[tokio::test(start_paused = true)]
async fn all_encodings_carry_the_same_sound() {
    let mut lengths = Vec::new();
    for encoding in ["pcm_s16le", "pcm_f32le", "pcm_mulaw", "pcm_alaw"] {
        let format = json!({ "container": "raw", "encoding": encoding, "sample_rate": 16_000 });
        let mut socket = open(SCRIPT).await;
        socket
            .json(speak("a", "Four", json!({ "output_format": format, "continue": false })))
            .await;
        lengths.push(audio(&socket.next_json().await.1).len());
    }
    assert_eq!(lengths, [1_280, 2_560, 640, 640]);
}

#[tokio::test(start_paused = true)]
async fn concurrency_is_limited_over_all_connections() {
    let simulators = simulators(&format!("{SCRIPT}\nmax_contexts = 1"));
    let open = || Socket::open(&simulators, "/tts/websocket", &[KEY, NEW]);
    let (mut one, mut two) = (open().await.unwrap(), open().await.unwrap());
    one.json(speak("a", "Four", json!({}))).await;
    one.next_json().await;
    two.json(last("b", "Four")).await;
    let (_, error) = two.next_json().await;
    assert_eq!(
        (&error["status_code"], &error["error_code"]),
        (&json!(429), &json!("concurrency_limited"))
    );
    assert_eq!(
        (&error["type"], &error["done"], &error["context_id"]),
        (&json!("error"), &json!(true), &json!("b"))
    );
    one.json(json!({ "context_id": "a", "cancel": true })).await;
    one.json(last("c", "Four")).await;
    assert_eq!(one.next_json().await.1["type"], "chunk", "the slot was given back");
}

#[tokio::test(start_paused = true)]
async fn errors_have_the_shape_of_the_version() {
    let simulators = simulators(SCRIPT);
    let bad = speak("a", "x", json!({ "voice": null }));
    let mut new = Socket::open(&simulators, "/tts/websocket", &[KEY, NEW]).await.unwrap();
    new.json(bad.clone()).await;
    let (_, error) = new.next_json().await;
    for field in ["error_code", "title", "message", "request_id", "doc_url", "context_id"] {
        assert!(error.get(field).is_some(), "{field}");
    }
    let mut old = Socket::open(&simulators, "/tts/websocket", &[KEY, OLD]).await.unwrap();
    old.json(bad).await;
    let (_, error) = old.next_json().await;
    assert!(error["error"].as_str().unwrap().starts_with("Invalid voice: "));
    assert!(error.get("title").is_none());
    old.text("{").await;
    assert!(old.next_json().await.1.get("context_id").is_none());
}

#[tokio::test(start_paused = true)]
async fn the_version_and_a_key_are_needed() {
    let simulators = simulators(SCRIPT);
    let open = |path: &'static str, headers: &'static [(&'static str, &'static str)]| {
        Socket::open(&simulators, path, headers)
    };
    let path = "/tts/websocket";
    assert!(
        open("/tts/websocket?cartesia_version=2025-04-16", &[("x-api-key", "k")]).await.is_ok()
    );
    assert!(open("/tts/websocket?cartesia_version=2025-04-16&api_key=k", &[]).await.is_ok());
    assert!(open("/tts/websocket?access_token=jwt", &[NEW]).await.is_ok());
    let (status, body) = refusal(open(path, &[KEY]).await);
    assert!(status == 400 && body.contains("Cartesia-Version"), "{status} {body}");
    let (status, body) = refusal(open(path, &[NEW]).await);
    assert!(status == 401 && body.contains("error_code"), "{status} {body}");
    let (status, body) = refusal(open(path, &[OLD, ("x-api-key", "invalid")]).await);
    assert!(status == 401 && body.starts_with("Unauthorized: "), "{status} {body}");
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed() {
    let mut socket = open(SCRIPT).await;
    assert!(matches!(socket.next().await, (300_000, Got::Closed(1001, _))));
}

fn body(changes: Value) -> Value {
    let mut body = last("x", "Ten chars!");
    let Value::Object(changes) = changes else { panic!("not an object: {changes}") };
    for (key, value) in changes {
        body[key] = value;
    }
    body
}

async fn send(simulators: &Simulators, path: &str, body: &Value) -> Http {
    let headers = "Cartesia-Version: 2026-08-14\r\n";
    Http::send(simulators, &post(path, headers, body)).await
}

#[tokio::test(start_paused = true)]
async fn bytes_are_audio_with_or_without_a_header() {
    let simulators = simulators(SCRIPT);
    let raw = send(&simulators, "/tts/bytes", &body(json!({}))).await;
    let times: Vec<_> = raw.pieces.iter().map(|(at, _)| *at).collect();
    assert_eq!((times, raw.body().len(), raw.is_whole), (vec![90, 94, 98], 4_800, true));
    let format = json!({ "container": "wav", "encoding": "pcm_s16le", "sample_rate": 24_000 });
    let wav = send(&simulators, "/tts/bytes", &body(json!({ "output_format": format }))).await;
    assert_eq!((&wav.body()[..4], &wav.body()[44..]), (&b"RIFF"[..], &raw.body()[..]));
    let mp3 = json!({ "container": "mp3", "sample_rate": 24_000, "bit_rate": 32_000 });
    let refused = send(&simulators, "/tts/bytes", &body(json!({ "output_format": mp3 }))).await;
    assert_eq!(refused.status(), 400);
    assert!(refused.json()["message"].as_str().unwrap().contains("mp3"));
}

#[tokio::test(start_paused = true)]
async fn events_are_the_messages_of_the_websocket() {
    let answer =
        send(&simulators(SCRIPT), "/tts/sse", &body(json!({ "add_timestamps": true }))).await;
    let kinds: Vec<_> = answer
        .events()
        .iter()
        .map(|(at, event)| format!("{at} {}", event["type"].as_str().unwrap()))
        .collect();
    let expected =
        ["90 chunk", "90 timestamps", "94 chunk", "94 timestamps", "98 chunk", "98 done"];
    assert_eq!(kinds, expected);
    assert!(String::from_utf8(answer.body()).unwrap().starts_with("event: chunk\ndata: {"));
}
