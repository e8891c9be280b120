//! Failures of the provider: which end the call, which are tried again, which end a turn.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;
use voicegraph_engine::event::ToolStage::Failed;

use super::server::{ROLE, STOP, STREAM, TOOL_CALLS, USAGE, call, text};
use super::world::World;

const ERROR: &str = "data: {\"error\":{\"message\":\"…\",\"type\":\"server_error\",\
    \"param\":null,\"code\":null}}\n\n";

#[tokio::test(start_paused = true)]
async fn a_bad_key_ends_the_call_at_once() {
    let mut world = World::new();
    let mut server = world.server().await;
    world.say("Hello?").await;
    let error = json!({
        "message": "Incorrect API key provided: sk-test", "type": "invalid_request_error",
        "param": null, "code": "invalid_api_key",
    });
    server.refuse("401 Unauthorized", "", &error).await;
    let error = world.ended().await.expect_err("a fatal failure").to_string();
    assert_eq!(error, "openai: HTTP 401: invalid_api_key");
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_is_waited_for_as_long_as_it_says() {
    let mut world = World::new();
    let mut server = world.server().await;
    world.say("Hello?").await;
    let begun = Instant::now();
    let error = json!({ "type": "requests", "code": "rate_limit_exceeded" });
    server.refuse("429 Too Many Requests", "Retry-After: 1\r\n", &error).await;
    server.say("Hi.").await;
    assert_eq!(world.answer().await, "Hi.");
    assert_eq!(begun.elapsed(), Duration::from_secs(1));
    assert_eq!(world.faults(), [("HTTP 429: rate_limit_exceeded".to_owned(), Some(1000))]);
}

#[tokio::test(start_paused = true)]
async fn no_credit_is_no_rate_limit() {
    let mut world = World::new();
    let mut server = world.server().await;
    world.say("Hello?").await;
    let error = json!({ "type": "insufficient_quota", "code": "insufficient_quota" });
    server.refuse("429 Too Many Requests", "Retry-After: 1\r\n", &error).await;
    assert!(world.ended().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn silence_is_an_error_in_its_time_and_tried_again() {
    let mut world = World::with(&json!({ "progress_timeout_ms": 800 }));
    let mut first = world.server().await;
    world.say("Hello?").await;
    let begun = Instant::now();
    first.request().await;
    first.closed().await;
    assert_eq!(begun.elapsed(), Duration::from_millis(800));
    let mut second = world.server().await;
    second.accept().await;
    second.chunk(ROLE).await;
    second.closed().await;
    world.server().await.say("Hi.").await;
    assert_eq!(world.answer().await, "Hi.");
    let faults: Vec<String> = world.faults().into_iter().map(|(what, _)| what).collect();
    assert_eq!(faults, ["silent for 800 ms after a request", "silent for 800 ms in an answer"]);
}

#[tokio::test(start_paused = true)]
async fn comments_do_not_stand_in_for_tokens() {
    let more = json!({ "progress_timeout_ms": 800, "first_token_timeout_ms": 2000 });
    let mut world = World::with(&more);
    let mut server = world.server().await;
    world.say("Hello?").await;
    let begun = Instant::now();
    server.accept().await;
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(600)).await;
        server.chunk(": still here\n\n").await;
    }
    server.closed().await;
    assert_eq!(begun.elapsed(), Duration::from_secs(2));
    assert_eq!(world.faults()[0].0, "no token within 2000 ms");
}

#[tokio::test(start_paused = true)]
async fn a_reset_before_the_first_token_is_not_heard() {
    let mut world = World::new();
    let mut first = world.server().await;
    world.say("Hello?").await;
    first.accept().await;
    first.chunk(ROLE).await;
    first.raw("40\r\ndata: {\"choi").await;
    drop(first);
    world.server().await.say("Hi.").await;
    assert_eq!(world.answer().await, "Hi.");
    assert_eq!(world.faults().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn after_the_first_token_the_turn_ends_and_the_call_goes_on() {
    for broken in ["40\r\ndata: {\"choi", "0\r\n\r\n", &chunk(ERROR)] {
        let mut world = World::new();
        let mut first = world.server().await;
        let turn = world.say("Hello?").await;
        first.accept().await;
        first.chunk(&text("Good mor")).await;
        first.raw(broken).await;
        drop(first);
        assert_eq!(world.answer().await, "Good mor", "{broken:?}");
        assert_eq!(world.faults().len(), 1, "{broken:?}");
        assert_eq!(world.faults()[0].1, None);
        turn.complete();
        world.say("Go on.").await;
        let request = world.server().await.say("Good morning.").await;
        let expected = ["user: Hello?", "assistant: Good mor", "user: Go on."];
        assert_eq!(request.messages(), expected);
        assert_eq!(world.answer().await, "Good morning.");
    }
}

/// A chunk that is no JSON.
const GARBLED: &str = "data: {\"choices\":[{\n\n";

#[tokio::test(start_paused = true)]
async fn a_chunk_that_cannot_be_read_is_told_and_passed_over() {
    let mut world = World::new();
    let mut server = world.server().await;
    world.say("Hello?").await;
    server.accept().await;
    server.finish(&[ROLE, &text("Good"), GARBLED, &text(" morning."), STOP, USAGE]).await;
    assert_eq!(world.answer().await, "Good morning.");
    assert_eq!(world.faults(), [("unreadable chunk (Eof error at byte 13)".to_owned(), None)]);
}

#[tokio::test(start_paused = true)]
async fn chunks_that_cannot_be_read_end_the_answer_when_they_repeat() {
    let mut world = World::new();
    let mut server = world.server().await;
    world.say("Hello?").await;
    server.accept().await;
    server.chunk(&text("Good")).await;
    for _ in 0..4 {
        server.chunk(GARBLED).await;
    }
    assert_eq!(world.answer().await, "Good");
    assert_eq!(world.faults().len(), 4);
    server.closed().await;
}

#[tokio::test(start_paused = true)]
async fn a_tool_is_not_called_with_arguments_that_lack_a_piece() {
    let mut world = World::new();
    let mut server = world.server().await;
    world.say("Book Monday.").await;
    server.accept().await;
    let more =
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"}"}}]}}]}"#;
    let more = format!("data: {more}\n\n");
    server.finish(&[ROLE, &call(0, "a", "book", "{"), GARBLED, &more, TOOL_CALLS, USAGE]).await;
    let request = server.say("Once more, please.").await;
    let told = request.messages().pop().expect("a result");
    assert!(told.contains("a part of the arguments was lost"), "{told}");
    assert_eq!(world.answer().await, "Once more, please.");
    assert_eq!(world.tools(), [("book".to_owned(), Failed)]);
}

fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

#[tokio::test(start_paused = true)]
async fn an_error_in_the_stream_before_the_first_token_is_tried_again() {
    let mut world = World::new();
    let mut first = world.server().await;
    world.say("Hello?").await;
    first.accept().await;
    first.finish(&[ROLE, ERROR]).await;
    world.server().await.say("Hi.").await;
    assert_eq!(world.answer().await, "Hi.");
    assert_eq!(world.faults()[0].0, "error in the stream: server_error");
}

#[tokio::test(start_paused = true)]
async fn retries_have_an_end() {
    let mut world = World::with(&json!({ "max_retries": 2 }));
    let mut server = world.server().await;
    world.say("Hello?").await;
    for _ in 0..3 {
        server
            .refuse("503 Service Unavailable", "", &json!({ "code": "server_is_overloaded" }))
            .await;
    }
    let error = world.ended().await.expect_err("given up").to_string();
    assert_eq!(error, "openai: HTTP 503: server_is_overloaded");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_stream_is_named() {
    let mut world = World::new();
    let mut server = world.server().await;
    world.say("Hello?").await;
    server.request().await;
    server
        .raw("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
        .await;
    let error = world.ended().await.expect_err("fatal").to_string();
    assert_eq!(error, "openai: the server does not stream: its answer is plain JSON");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_simulator_ends_the_call_at_once() {
    let world = World::with(&json!({ "base_url": "sim://nobody" }));
    let error = world.node.await.expect("no panic").expect_err("fatal").to_string();
    assert!(error.contains("nobody"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_up_at_once_is_not_dialled_for_ever() {
    let mut world = World::with(&json!({ "max_retries": 2 }));
    for _ in 0..3 {
        drop(world.server().await);
    }
    tokio::time::sleep(Duration::from_secs(60)).await;
    world.say("Hello?").await;
    let mut server = world.server().await;
    server.request().await;
    server.raw(STREAM).await;
    server.finish(&[&text("Hi."), STOP, USAGE]).await;
    assert_eq!(world.answer().await, "Hi.");
}
