//! Calls that end otherwise than by a hang-up: a client that is killed, a process that is told to
//! end.

use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::timeout;
use voicegraph_tests::caller::Caller;
use voicegraph_tests::program::Process;
use voicegraph_tests::{booking, http};

use super::{NOTICE_LIMIT, Server, opening_hours};

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

#[tokio::test]
async fn told_to_end_while_it_still_asks_its_database_it_ends_in_order() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("pipeline.toml"), booking::PIPELINE).unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://clinic@{}/clinic", silent.local_addr().unwrap());
    let arguments = ["serve", folder.path().to_str().unwrap(), "--listen", "127.0.0.1:0"];
    let variables = [("DATABASE_URL", url.as_str()), ("AUTHORITY", "none.pem")];
    let mut process = Process::start(&arguments, &variables);
    let connected = timeout(NOTICE_LIMIT, silent.accept()).await;
    let _connection = connected.expect("it asks its database").unwrap();
    process.terminate().await;
    process.line_with("told to end before the first call").await;
    assert!(process.ended().await.success());
}
