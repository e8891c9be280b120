//! Interruptions: the stream is dropped, the history cut, what writes goes on.

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};
use voicegraph_engine::event::ToolStage::{Answered, Called, Cancelled};
use voicegraph_engine::turn::SpokenWord;

use super::server::{ROLE, TOOL_CALLS, USAGE, call, text};
use super::world::{World, settle};

#[tokio::test(start_paused = true)]
async fn the_stream_is_dropped_and_the_next_connection_is_ready() {
    let mut world = World::new();
    let mut first = world.server().await;
    let turn = world.say("Hello?").await;
    first.accept().await;
    first.chunk(ROLE).await;
    first.chunk(&text("Good morning, how are you?")).await;
    world.piece().await;
    let ms = Duration::from_millis;
    let word = |text: &str, start, end| SpokenWord {
        text: text.to_owned(),
        start: ms(start),
        end: ms(end),
    };
    turn.add_words([word("Good", 0, 300), word("morning,", 300, 700), word("how", 700, 900)]);
    turn.begin_playout(Instant::now());
    turn.report_heard(ms(500));
    world.control.interrupt(Instant::now());
    first.closed().await;
    let mut second = world.server().await;
    let begun = Instant::now();
    world.say("Stop.").await;
    let request = second.say("Yes?").await;
    assert_eq!(request.messages(), ["user: Hello?", "assistant: Good morning,", "user: Stop."]);
    assert_eq!(world.answer().await, "Yes?");
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert_eq!(world.faults(), []);
}

#[tokio::test(start_paused = true)]
async fn a_turn_superseded_before_its_first_token_leaves_its_words() {
    let mut world = World::new();
    let mut first = world.server().await;
    world.say("I need").await;
    first.request().await;
    world.say("an appointment.").await;
    let request = world.server().await.say("When?").await;
    assert_eq!(request.messages(), ["user: I need", "user: an appointment."]);
    assert_eq!(world.answer().await, "When?");
}

#[tokio::test(start_paused = true)]
async fn a_tool_that_reads_is_stopped() {
    let mut world = World::new();
    let mut server = world.server().await;
    world.say("Find it.").await;
    server.accept().await;
    server.finish(&[&call(0, "a", "find", "{}"), TOOL_CALLS, USAGE]).await;
    let call = world.called().await;
    world.control.interrupt(Instant::now());
    settle().await;
    assert!(call.reply.is_abandoned());
    world.say("Never mind.").await;
    let messages = server.say("All right.").await.messages();
    assert_eq!(
        messages,
        [
            "user: Find it.",
            "assistant: - [find]",
            r#"tool: {"error":"cancelled","message":"the caller interrupted"}"#,
            "user: Never mind.",
        ]
    );
    assert_eq!(
        world.tools(),
        [("find", Called), ("find", Cancelled)].map(|(name, stage)| (name.to_owned(), stage))
    );
}

#[tokio::test(start_paused = true)]
async fn a_tool_that_writes_is_finished_and_told() {
    let mut world = World::new();
    let mut server = world.server().await;
    world.say("Book it.").await;
    server.accept().await;
    server.finish(&[&call(0, "a", "book", "{}"), TOOL_CALLS, USAGE]).await;
    let call = world.called().await;
    world.control.interrupt(Instant::now());
    settle().await;
    assert!(!call.reply.is_abandoned());
    world.say("Wait.").await;
    let begun = Instant::now();
    sleep(Duration::from_millis(300)).await;
    call.reply.send(Ok(json!({"id": 7}))).expect("awaited");
    let messages = server.say("It is booked.").await.messages();
    assert_eq!(begun.elapsed(), Duration::from_millis(300));
    assert_eq!(messages[1..3], ["assistant: - [book]", r#"tool: {"id":7}"#]);
    assert_eq!(
        world.tools(),
        [("book", Called), ("book", Answered)].map(|(name, stage)| (name.to_owned(), stage))
    );
}

#[tokio::test(start_paused = true)]
async fn a_write_that_no_tool_took_yet_never_begins() {
    let mut world = World::new();
    let mut server = world.server().await;
    world.say("Book it.").await;
    server.accept().await;
    for index in 0..6 {
        server.chunk(&call(index, &format!("c{index}"), "book", "{}")).await;
    }
    server.finish(&[TOOL_CALLS, USAGE]).await;
    let taken = world.called().await;
    settle().await;
    world.control.interrupt(Instant::now());
    settle().await;
    let request = world.say("Wait.");
    request.await;
    taken.reply.send(Ok(json!("booked"))).expect("awaited");
    let stale = tokio::time::timeout(Duration::from_millis(1), world.call.recv()).await;
    assert!(stale.is_err(), "stale calls are dropped");
    let messages = server.say("One is booked.").await.messages();
    assert_eq!(messages[2], "tool: booked");
    assert_eq!(messages[3..8].iter().filter(|text| text.contains("cancelled")).count(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_outlasts_its_time_is_called_running() {
    let mut world = World::with(&json!({ "tool_timeout_ms": 400 }));
    let mut server = world.server().await;
    world.say("Book it.").await;
    server.accept().await;
    server.finish(&[&call(0, "a", "book", "{}"), TOOL_CALLS, USAGE]).await;
    let call = world.called().await;
    let begun = Instant::now();
    world.control.interrupt(begun);
    let turn = world.say("Wait.").await;
    let messages = server.say("It is being booked.").await.messages();
    assert_eq!(begun.elapsed(), Duration::from_millis(400));
    assert!(messages[2].contains("not finished yet"), "{}", messages[2]);
    world.answer().await;
    turn.complete();
    call.reply.send(Ok(json!("booked"))).expect("awaited");
    world.say("And?").await;
    assert_eq!(server.say("Booked.").await.messages()[2], "tool: booked");
}
