//! Tools: in parallel, over several steps, up to the cap, with every mistake that a model makes.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use voicegraph_engine::event::ToolStage::{Answered, Called, Failed};
use voicegraph_engine::message::{ToolError, ToolFailure};

use super::server::{ROLE, STOP, TOOL_CALLS, USAGE, call, text};
use super::world::{World, settle};

#[tokio::test(start_paused = true)]
async fn two_calls_in_parallel_and_a_second_step() {
    let mut world = World::new();
    let mut server = world.server().await;
    world.say("Book Monday.").await;
    server.accept().await;
    let fragments = [
        r#"{"index":0,"id":"call_a","type":"function","function":{"name":"find","arguments":""}}"#,
        r#"{"index":0,"function":{"arguments":"{\"day\":"}}"#,
        r#"{"index":0,"function":{"arguments":"\"Monday\"}"}}"#,
        r#"{"index":1,"id":"call_b","type":"function","function":{"name":"book","arguments":""}}"#,
        r#"{"index":1,"function":{"arguments":"{}"}}"#,
    ];
    server.chunk(&text("One moment.")).await;
    for fragment in fragments {
        let delta = format!(r#"{{"tool_calls":[{fragment}]}}"#);
        server.chunk(&format!("data: {{\"choices\":[{{\"delta\":{delta}}}]}}\n\n")).await;
    }
    server.finish(&[TOOL_CALLS, USAGE]).await;
    assert_eq!(world.piece().await, "One moment.");
    let (first, second) = (world.called().await, world.called().await);
    assert_eq!((first.id.as_str(), first.name.as_str()), ("call_a", "find"));
    assert_eq!((first.arguments, second.arguments), (json!({"day": "Monday"}), json!({})));
    second.reply.send(Ok(json!({"id": 7}))).expect("awaited");
    settle().await;
    first.reply.send(Ok(json!("free"))).expect("awaited");

    let request = server.say("You are booked.").await;
    assert_eq!(
        request.messages(),
        [
            "user: Book Monday.",
            "assistant: One moment. [find, book]",
            "tool: free",
            r#"tool: {"id":7}"#,
        ]
    );
    let ids = |at: usize| request.body["messages"][at]["tool_call_id"].clone();
    assert_eq!((ids(3), ids(4)), (json!("call_a"), json!("call_b")));
    assert_eq!(world.answer().await, " You are booked.");
    let stages = world.tools();
    let expected = [("find", Called), ("book", Called), ("book", Answered), ("find", Answered)];
    assert_eq!(stages, expected.map(|(name, stage)| (name.to_owned(), stage)));
}

#[tokio::test(start_paused = true)]
async fn at_the_cap_the_model_must_answer() {
    let mut world = World::with(&json!({ "max_tool_steps": 2 }));
    let mut server = world.server().await;
    world.say("Find it.").await;
    for step in ["a", "b"] {
        let request = server.accept().await;
        assert_eq!(request.body["tool_choice"], "auto");
        server.finish(&[&call(0, step, "find", "{}"), TOOL_CALLS, USAGE]).await;
        world.called().await.reply.send(Ok(Value::Null)).expect("awaited");
    }
    let request = server.say("Nothing found.").await;
    assert_eq!(request.body["tool_choice"], "none");
    assert_eq!(request.body["tools"].as_array().map(Vec::len), Some(2));
    assert_eq!(world.answer().await, "Nothing found.");
}

#[tokio::test(start_paused = true)]
async fn the_model_is_told_of_its_mistakes_and_of_failures() {
    let mut world = World::new();
    let mut server = world.server().await;
    world.say("Find it.").await;
    server.accept().await;
    let calls = [
        call(0, "a", "fly", "{}"),
        call(1, "b", "find", "{\"day\":"),
        call(2, "c", "find", "{}"),
        call(3, "d", "find", ""),
    ];
    server.finish(&[&calls[0], &calls[1], &calls[2], &calls[3], TOOL_CALLS, USAGE]).await;
    let failure = ToolFailure::Named("closed_on_sunday".to_owned());
    let error = ToolError { failure, message: "no hours".to_owned() };
    world.called().await.reply.send(Err(error)).expect("awaited");
    drop(world.called().await);

    let messages = server.say("Sorry.").await.messages();
    assert_eq!(messages[2], r#"tool: {"error":"not_found","message":"there is no such tool"}"#);
    let invalid =
        r#"tool: {"error":"invalid_argument","message":"the arguments are not valid JSON"#;
    assert!(messages[3].starts_with(invalid), "{}", messages[3]);
    assert_eq!(messages[4], r#"tool: {"error":"closed_on_sunday","message":"no hours"}"#);
    assert!(messages[5].starts_with(r#"tool: {"error":"unavailable""#), "{}", messages[5]);
    assert_eq!(world.answer().await, "Sorry.");
    assert_eq!(world.tools().iter().filter(|(_, stage)| *stage == Failed).count(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_tool_that_reads_is_given_up_when_it_takes_too_long() {
    let mut world = World::with(&json!({ "tool_timeout_ms": 700 }));
    let mut server = world.server().await;
    world.say("Find it.").await;
    server.accept().await;
    server.finish(&[&call(0, "a", "find", "{}"), TOOL_CALLS, USAGE]).await;
    let call = world.called().await;
    let begun = Instant::now();
    let messages = server.say("It takes too long.").await.messages();
    assert_eq!(begun.elapsed(), Duration::from_millis(700));
    assert!(messages[2].contains("took too long"), "{}", messages[2]);
    assert!(call.reply.is_abandoned());
}

#[tokio::test(start_paused = true)]
async fn a_tool_that_writes_goes_on_and_its_result_is_told_later() {
    let mut world = World::with(&json!({ "tool_timeout_ms": 700 }));
    let mut server = world.server().await;
    let turn = world.say("Book it.").await;
    server.accept().await;
    server.finish(&[&call(0, "a", "book", "{}"), TOOL_CALLS, USAGE]).await;
    let call = world.called().await;
    let messages = server.say("It is being booked.").await.messages();
    assert!(messages[2].contains("not finished yet"), "{}", messages[2]);
    world.answer().await;
    turn.complete();
    call.reply.send(Ok(json!("booked"))).expect("still awaited");
    world.say("And?").await;
    assert_eq!(server.say("Done.").await.messages()[2], "tool: booked");
}

#[tokio::test(start_paused = true)]
async fn tools_whose_edge_is_full_do_not_hold_the_answer_for_ever() {
    let mut world = World::with(&json!({ "tool_timeout_ms": 500 }));
    let mut server = world.server().await;
    world.say("Find it.").await;
    server.accept().await;
    for index in 0..6 {
        server.chunk(&call(index, &format!("c{index}"), "find", "{}")).await;
    }
    let begun = Instant::now();
    server.finish(&[ROLE, TOOL_CALLS, USAGE]).await;
    let request = server.accept().await;
    assert_eq!(begun.elapsed(), Duration::from_millis(500));
    server.finish(&[&text("Sorry."), STOP, USAGE]).await;
    assert_eq!(request.messages().len(), 8);
    assert_eq!(world.answer().await, "Sorry.");
}
