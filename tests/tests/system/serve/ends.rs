//! Calls that end otherwise than by a hang-up: a client that is killed, a process that is told to
//! end.

use serde_json::json;
use voicegraph_tests::caller::Caller;
use voicegraph_tests::http;

use super::{Server, opening_hours};

#[tokio::test]
async fn a_client_that_is_killed_leaves_nothing_behind() {
    let server = Server::simulated(&[]).await;
    let mut callers = Vec::new();
    for _ in 0..3 {
        callers.push(Caller::call(&server.authority, "").await.unwrap());
    }
    for caller in &mut callers {
        caller.event("greeting", |event| event["state"] == "speaking").await;
        caller.say(&opening_hours());
    }
    server.has_sessions(3).await;
    drop(callers);
    server.is_empty().await;
    server.process.stop().await;
}

#[tokio::test]
async fn told_to_end_the_process_lets_the_call_finish_and_takes_no_other() {
    let mut server = Server::simulated(&[]).await;
    let mut caller = Caller::call(&server.authority, "").await.unwrap();
    caller.event_of("start").await;
    server.process.terminate().await;
    server.process.line_with("no more calls").await;
    let health = http::get(&server.authority, "/health").await;
    assert_eq!((health.status, &health.json()["status"]), (503, &json!("draining")));
    let refused = Caller::call(&server.authority, "").await.err().expect("no new call");
    assert!(refused.to_string().contains("503"), "{refused}");
    caller.event("greeting", |event| event["type"] == "turn").await;
    caller.say(&opening_hours());
    let (_, answer) = caller.event("answer", |event| event["type"] == "turn").await;
    assert_eq!(answer["report"]["outcome"], "completed", "{answer:#}");
    caller.send("{\"type\":\"hangup\"}");
    let (_, end) = caller.event_of("end").await;
    assert_eq!(end["reason"], "hung_up");
    assert_eq!(caller.closed().await, Some(1_000));
    assert!(server.process.ended().await.success());
}

#[tokio::test]
async fn a_call_that_outlasts_the_drain_is_closed() {
    let mut server = Server::simulated(&["--drain-seconds", "1"]).await;
    let mut caller = Caller::call(&server.authority, "").await.unwrap();
    caller.event_of("start").await;
    server.process.terminate().await;
    let (_, end) = caller.event_of("end").await;
    assert_eq!(end["reason"], "closed", "{end:#}");
    assert!(server.process.ended().await.success());
}
