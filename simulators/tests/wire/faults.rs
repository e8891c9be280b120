//! Each fault that a script can have, seen from outside.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use voicegraph_simulators::Simulators;

use crate::client::{Got, Http, Socket, loud, post, refusal, silence, simulators};

const KEY: (&str, &str) = ("authorization", "Token key");
const LISTEN: &str = "/v1/listen?model=nova-3&encoding=linear16&sample_rate=16000\
    &endpointing=300&interim_results=true";
const TTS: [(&str, &str); 2] =
    [("authorization", "Bearer key"), ("cartesia-version", "2026-08-14")];

fn with_fault(provider: &str, fault: &str) -> Simulators {
    simulators(&format!("[[{provider}.faults]]\n{fault}"))
}

/// Listens to a second of speech under `fault` and gives what came until the end.
async fn listen(fault: &str) -> Vec<(u64, Got)> {
    let simulators = with_fault("deepgram", fault);
    let mut socket = Socket::open(&simulators, LISTEN, &[KEY]).await.unwrap();
    let audio: Vec<u8> = [loud(1_000), silence(400)]
        .concat()
        .iter()
        .flat_map(|sample| sample.to_le_bytes())
        .collect();
    socket.binary(audio).await;
    socket.rest().await
}

fn is_json(got: &(u64, Got)) -> bool {
    matches!(got.1, Got::Json(_))
}

#[tokio::test(start_paused = true)]
async fn refuse_and_status_happen_to_their_connection_only() {
    let simulators = with_fault("deepgram", "kind = \"refuse\"\nconnection = 2");
    assert!(Socket::open(&simulators, LISTEN, &[KEY]).await.is_ok());
    assert!(Socket::open(&simulators, LISTEN, &[KEY]).await.is_err());
    assert!(Socket::open(&simulators, LISTEN, &[KEY]).await.is_ok());
    for (status, code) in [(402, "ASR_PAYMENT_REQUIRED"), (429, "TOO_MANY_REQUESTS"), (503, "")] {
        let simulators = with_fault("deepgram", &format!("kind = \"status\"\nstatus = {status}"));
        let (got, body) = refusal(Socket::open(&simulators, LISTEN, &[KEY]).await);
        assert!(got == status && body.contains(code), "{got} {body}");
    }
}

#[tokio::test(start_paused = true)]
async fn cut_drops_the_socket_without_a_close_frame() {
    assert_eq!(listen("kind = \"cut\"\nafter_ms = 7").await, [(7, Got::Cut)]);
    let got = listen("kind = \"cut\"\nafter_messages = 1").await;
    assert!(got.len() == 2 && is_json(&got[0]) && got[1].1 == Got::Cut, "{got:?}");
    let simulators = with_fault("deepgram", "kind = \"cut\"");
    let mut socket = Socket::open(&simulators, LISTEN, &[KEY]).await.unwrap();
    assert_eq!(socket.next().await, (0, Got::Cut), "at once, where nothing else is said");
}

#[tokio::test(start_paused = true)]
async fn stall_says_nothing_more() {
    let got = listen("kind = \"stall\"\nafter_messages = 2").await;
    assert!(got[..2].iter().all(is_json));
    assert_eq!(got[2..], [(600_150, Got::Cut)], "it ends when the longest stall is over");
}

#[tokio::test(start_paused = true)]
async fn malformed_puts_one_bad_message_before_the_next() {
    let got = listen("kind = \"malformed\"\nafter_messages = 1").await;
    assert!(is_json(&got[0]) && matches!(got[1].1, Got::Garbage(_)) && is_json(&got[2]), "{got:?}");
    assert!(got[3..].iter().all(|got| !matches!(got.1, Got::Garbage(_))));
}

#[tokio::test(start_paused = true)]
async fn close_has_its_code_and_reason() {
    let got = listen("kind = \"close\"\nafter_ms = 9\ncode = 1011\nreason = \"net0000\"").await;
    assert_eq!(got, [(9, Got::Closed(1011, "net0000".to_owned()))]);
}

#[tokio::test(start_paused = true)]
async fn slow_writes_in_dribs() {
    let simulators = with_fault("deepgram", "kind = \"slow\"\nchunk_bytes = 10\nevery_ms = 3");
    let begin = tokio::time::Instant::now();
    let mut socket = Socket::open(&simulators, LISTEN, &[KEY]).await.unwrap();
    let handshake = begin.elapsed();
    assert!(handshake >= Duration::from_millis(30), "the handshake took {handshake:?}");
    let opened = socket.now_ms();
    socket.text("{}").await;
    let (at, _) = socket.next_json().await;
    assert!(at - opened >= 30, "the message took {} ms", at - opened);
}

#[tokio::test(start_paused = true)]
async fn finalize_may_go_unanswered() {
    let simulators = with_fault("deepgram", "kind = \"no_finalize_reply\"");
    let path = LISTEN.replace("interim_results=true", "interim_results=false");
    let mut socket = Socket::open(&simulators, &path, &[KEY]).await.unwrap();
    socket.speak(&loud(300)).await;
    socket.text(r#"{"type":"Finalize"}"#).await;
    assert!(socket.is_silent_for(Duration::from_secs(9)).await);
}

/// The answer to a greeting under `fault`.
async fn complete(fault: &str, more: Value) -> Http {
    let script = format!(
        "[[openai.rules]]\nuser = \"call\"\n\
         tool_calls = [{{ name = \"a\", arguments = {{ b = 1 }} }}]\n\
         [[openai.rules]]\nreply = \"Café now.\"\n[[openai.faults]]\n{fault}"
    );
    let mut body = json!({ "model": "m", "stream": true,
        "messages": [{ "role": "user", "content": "hi" }] });
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    Http::send(&simulators(&script), &post("/v1/chat/completions", "", &body)).await
}

#[tokio::test(start_paused = true)]
async fn completions_can_be_refused_cut_and_stalled() {
    let refused = complete("kind = \"refuse\"", json!({})).await;
    assert_eq!((refused.head.as_str(), refused.pieces.len()), ("", 0));
    let cut = complete("kind = \"cut\"\nafter_messages = 2", json!({})).await;
    assert_eq!((cut.events().len(), cut.is_whole), (2, false));
    let cut = complete("kind = \"cut\"\nafter_ms = 270", json!({})).await;
    assert_eq!((cut.events().len(), cut.is_whole), (3, false));
    let stalled = complete("kind = \"stall\"\nafter_messages = 3", json!({})).await;
    assert_eq!((stalled.events().len(), stalled.is_whole), (3, false));
}

#[tokio::test(start_paused = true)]
async fn completion_statuses_have_documented_bodies() {
    let cases =
        [(429, "rate_limit_exceeded"), (503, "server_is_overloaded"), (401, "invalid_api_key")];
    for (status, code) in cases {
        let fault = format!("kind = \"status\"\nstatus = {status}\nretry_after_s = 2");
        let answer = complete(&fault, json!({})).await;
        assert_eq!((answer.status(), &answer.json()["error"]["code"]), (status, &json!(code)));
        assert!(answer.head.contains("retry-after: 2"));
    }
}

#[tokio::test(start_paused = true)]
async fn streams_can_be_broken_inside() {
    let malformed = complete("kind = \"malformed\"\nafter_messages = 1", json!({})).await.events();
    assert!(malformed[1].1.is_string() && malformed[2].1.is_object(), "{malformed:?}");

    let error = complete("kind = \"error_object\"\nafter_messages = 2", json!({})).await;
    let events = error.events();
    assert_eq!((events.len(), &events[2].1["error"]["type"]), (3, &json!("server_error")));
    assert!(error.is_whole);

    let no_done = complete("kind = \"no_done\"", json!({})).await;
    assert!(no_done.is_whole && no_done.events().iter().all(|(_, event)| event != "[DONE]"));

    let comments = complete("kind = \"comments\"", json!({})).await;
    let text = String::from_utf8(comments.body()).unwrap();
    assert_eq!(text.matches(": keep-alive\n\n").count(), comments.events().len());
}

#[tokio::test(start_paused = true)]
async fn characters_can_be_split() {
    let split = complete("kind = \"split_utf8\"", json!({})).await;
    assert!(split.pieces.iter().any(|(_, piece)| std::str::from_utf8(piece).is_err()));
    assert!(String::from_utf8(split.body()).unwrap().contains("Café"));
}

#[tokio::test(start_paused = true)]
async fn arguments_can_be_no_json() {
    let tool = json!({ "type": "function", "function": { "name": "a" } });
    let messages = json!([{ "role": "user", "content": "call" }]);
    let more = json!({ "stream": false, "tools": [tool], "messages": messages });
    let answer = complete("kind = \"invalid_arguments\"", more).await.json();
    let call = &answer["choices"][0]["message"]["tool_calls"][0];
    assert_eq!(call["function"]["arguments"], "{\"b\":1");
}

/// What a Cartesia connection under `fault` says to one context of `text`, cancelled after its
/// first message if so asked.
async fn say(fault: &str, text: &str, is_cancelled: bool) -> Vec<(u64, Value)> {
    let script = format!("[cartesia]\nms_per_char = 10\n[[cartesia.faults]]\n{fault}");
    let mut socket = Socket::open(&simulators(&script), "/tts/websocket", &TTS).await.unwrap();
    socket
        .json(json!({
            "context_id": "a", "model_id": "sonic-3", "transcript": text, "continue": false,
            "voice": { "mode": "id", "id": "v" }, "max_buffer_delay_ms": 0,
            "output_format": { "container": "raw", "encoding": "pcm_s16le", "sample_rate": 8_000 },
        }))
        .await;
    let mut all = vec![socket.next_json().await];
    if is_cancelled {
        socket.json(json!({ "context_id": "a", "cancel": true })).await;
    }
    while all.last().unwrap().1["done"] != true {
        all.push(socket.next_json().await);
    }
    all
}

#[tokio::test(start_paused = true)]
async fn a_context_can_fail_in_its_midst() {
    let fault = "kind = \"error\"\nstatus = 500\nafter_messages = 2\nmessage = \"boom\"";
    let got = say(fault, "Sixteen letters.", false).await;
    assert_eq!((got.len(), got[2].0, &got[2].1["message"]), (3, 98, &json!("boom")));
    let fault = "kind = \"error\"\nstatus = 429\ncontext = 1";
    let got = say(fault, "Sixteen letters.", false).await;
    assert_eq!((got.len(), got[0].0), (1, 0));
    assert_eq!(got[0].1["error_code"], "concurrency_limited");
    let fault = "kind = \"error\"\nstatus = 429\ncontext = 2";
    assert_eq!(say(fault, "Four", false).await.len(), 2, "this is the first context");
}

#[tokio::test(start_paused = true)]
async fn chunks_can_follow_a_cancel() {
    let got = say("kind = \"chunks_after_cancel\"", "Sixteen letters.", true).await;
    let kinds: Vec<_> = got.iter().map(|(_, message)| message["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["chunk", "chunk", "chunk", "chunk", "done"]);
}

#[tokio::test(start_paused = true)]
async fn done_can_be_late() {
    let got = say("kind = \"late_done\"\nafter_ms = 700", "Four", false).await;
    let times: Vec<_> = got.iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [90, 794]);
}

#[tokio::test(start_paused = true)]
async fn chunks_can_be_cut_within_samples() {
    let even = say("kind = \"late_done\"\nafter_ms = 0", "Sixteen letters.", false).await;
    let odd = say("kind = \"odd_chunks\"", "Sixteen letters.", false).await;
    let chunks = |got: &[(u64, Value)]| -> Vec<Vec<u8>> {
        let data = got.iter().filter_map(|(_, message)| message["data"].as_str());
        data.map(|data| STANDARD.decode(data).unwrap()).collect()
    };
    let lengths: Vec<_> = chunks(&odd).iter().map(Vec::len).collect();
    assert_eq!(lengths, [639, 641, 639, 641]);
    assert_eq!(chunks(&odd).concat(), chunks(&even).concat());
}
