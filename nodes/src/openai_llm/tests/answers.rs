//! Answers in words: streaming, marks, the connection that is kept, what servers leave out.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};
use voicegraph_engine::event::Event;
use voicegraph_engine::metrics::Usage;
use voicegraph_engine::turn::TurnReport;

use super::server::{ROLE, STOP, STREAM, USAGE, text};
use super::world::{World, settle};
use crate::testing::variables;

#[tokio::test(start_paused = true)]
async fn tokens_go_out_as_they_come() {
    let mut world = World::new();
    let mut server = world.server().await;
    let turn = world.say("Hello?").await;
    server.accept().await;
    server.chunk(ROLE).await;
    server.chunk(&text("Good ")).await;
    assert_eq!(world.piece().await, "Good ");
    server.chunk(&text("mor")).await;
    assert_eq!(world.piece().await, "mor");
    server.finish(&[&text("ning."), STOP, USAGE]).await;
    assert_eq!(world.answer().await, "ning.");
    let told: Vec<String> = world.seen(|event| match event {
        Event::AgentText { turn: id, text } if *id == turn.id() => Some(text.clone()),
        _ => None,
    });
    assert_eq!(told.concat(), "Good morning.");
}

#[tokio::test(start_paused = true)]
async fn the_request_is_that_of_the_reference() {
    let more = json!({
        "model": "gpt-x", "temperature": 0.5, "max_completion_tokens": 99, "seed": 7,
        "reasoning_effort": "low", "parallel_tool_calls": false,
    });
    let mut world = World::with(&more);
    let mut server = world.server().await;
    world.say("Hello?").await;
    let request = server.say("Hi.").await;
    let head = request.head.to_lowercase();
    for line in [
        "post /v1/chat/completions http/1.1\r\n",
        "\r\nhost: openai\r\n",
        "\r\nauthorization: bearer sk-test\r\n",
        "\r\ncontent-type: application/json\r\n",
        "\r\naccept: text/event-stream\r\n",
    ] {
        assert!(head.contains(line), "{line:?} in {head:?}");
    }
    let parameters = json!({ "type": "object", "properties": { "day": { "type": "string" } } });
    let tool = |name: &str, description: &str| {
        let function =
            json!({ "name": name, "description": description, "parameters": parameters });
        json!({ "type": "function", "function": function })
    };
    let expected = json!({
        "model": "gpt-x",
        "messages": [
            { "role": "system", "content": "Be brief." },
            { "role": "user", "content": "Hello?" },
        ],
        "stream": true,
        "stream_options": { "include_usage": true },
        "temperature": 0.5,
        "max_completion_tokens": 99,
        "reasoning_effort": "low",
        "seed": 7,
        "tools": [tool("find", "Can find."), tool("book", "Can book.")],
        "tool_choice": "auto",
        "parallel_tool_calls": false,
    });
    assert_eq!(request.body, expected);
}

#[tokio::test(start_paused = true)]
async fn the_provider_s_time_is_told_apart_from_the_engine_s() {
    let mut world = World::new();
    let mut server = world.server().await;
    let turn = world.say("Hello?").await;
    server.request().await;
    sleep(Duration::from_millis(200)).await;
    server.raw(STREAM).await;
    server.chunk(ROLE).await;
    sleep(Duration::from_millis(120)).await;
    server.finish(&[&text("Hi."), STOP, USAGE]).await;
    assert_eq!(world.answer().await, "Hi.");
    turn.begin_playout(Instant::now());
    turn.complete();
    let reports: Vec<TurnReport> = world.seen(|event| match event {
        Event::TurnEnded { report, .. } => Some(report.clone()),
        _ => None,
    });
    assert_eq!(reports[0].llm_ttft, Some(Duration::from_millis(320)));
    assert_eq!(reports[0].e2e, Some(Duration::from_millis(320)));
    assert_eq!(reports[0].engine_added, Some(Duration::ZERO));
    assert_eq!(world.meter.latency_us().max() / 1000, 320);
}

#[tokio::test(start_paused = true)]
async fn the_connection_is_opened_before_a_turn_and_kept() {
    let mut world = World::new();
    let mut server = world.server().await;
    for (words, heard) in [("One?", "Uno."), ("Two?", "Due.")] {
        let turn = world.say(words).await;
        server.say(heard).await;
        assert_eq!(world.answer().await, heard);
        turn.complete();
    }
    world.say("Three?").await;
    let request = server.say("Tre.").await;
    let expected =
        ["user: One?", "assistant: Uno.", "user: Two?", "assistant: Due.", "user: Three?"];
    assert_eq!(request.messages(), expected);
}

#[tokio::test(start_paused = true)]
async fn tokens_are_counted_as_the_provider_says_at_the_end() {
    let mut world = World::new();
    let mut server = world.server().await;
    for text in ["Good morning.", "On Sundays we are closed."] {
        world.say("Hello?").await;
        server.say(text).await;
        world.answer().await;
    }
    settle().await;
    let (read, cached) = (Usage::LlmInputTokens, Usage::LlmInputCachedTokens);
    let all = [(read, 42), (cached, 0), (Usage::LlmOutputTokens, 18)];
    assert_eq!(world.meter.usage(), BTreeMap::from(all));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_the_server_closed_is_opened_again_ahead() {
    let mut world = World::new();
    let mut first = world.server().await;
    let turn = world.say("One?").await;
    first.say("Uno.").await;
    world.answer().await;
    turn.complete();
    sleep(Duration::from_secs(5)).await;
    drop(first);
    let mut second = world.server().await;
    world.say("Two?").await;
    second.say("Due.").await;
    assert_eq!(world.answer().await, "Due.");
    assert_eq!(world.faults(), []);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_meets_a_closing_connection_is_sent_again_at_once() {
    let mut world = World::new();
    let mut first = world.server().await;
    let turn = world.say("One?").await;
    first.say("Uno.").await;
    world.answer().await;
    turn.complete();
    let begun = Instant::now();
    world.say("Two?").await;
    first.request().await;
    drop(first);
    world.server().await.say("Due.").await;
    assert_eq!(world.answer().await, "Due.");
    assert_eq!((world.faults(), begun.elapsed()), (Vec::new(), Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn the_last_piece_does_not_wait_for_the_bookkeeping() {
    let mut world = World::new();
    let mut server = world.server().await;
    let turn = world.say("One?").await;
    server.accept().await;
    server.chunk(&text("Uno.")).await;
    server.chunk(STOP).await;
    assert_eq!(world.answer().await, "Uno.");
    turn.complete();
    settle().await;
    server.finish(&[USAGE]).await;
    world.say("Two?").await;
    server.say("Due.").await;
    assert_eq!(world.answer().await, "Due.");
}

#[tokio::test(start_paused = true)]
async fn an_answer_never_ended_is_left_behind_for_a_new_connection() {
    let mut world = World::new();
    let mut first = world.server().await;
    let turn = world.say("One?").await;
    first.accept().await;
    first.chunk(&text("Uno.")).await;
    first.chunk(STOP).await;
    world.answer().await;
    turn.complete();
    world.say("Two?").await;
    world.server().await.say("Due.").await;
    assert_eq!(world.answer().await, "Due.");
    first.closed().await;
}

#[tokio::test(start_paused = true)]
async fn servers_may_leave_out_what_they_like() {
    let done = "data: [DONE]\n\n";
    let filter = "data: {\"choices\":[],\"prompt_filter_results\":[{}]}\n\n";
    let no_delta = "data: {\"choices\":[{\"delta\":null}]}\n\n";
    let all_in_one = "data: {\"choices\":[{\"delta\":{\"content\":\"Hi.\"},\
        \"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1}}\r\n\r\n";
    let hi = text("Hi.");
    let unusual: [&[&str]; 4] = [
        &[": comment\n\n", filter, no_delta, &hi, STOP],
        &[&hi, done],
        &["\u{feff}", all_in_one],
        &[all_in_one, done],
    ];
    for events in unusual {
        let mut world = World::new();
        let mut server = world.server().await;
        world.say("Hello?").await;
        server.accept().await;
        server.finish(events).await;
        assert_eq!(world.answer().await, "Hi.", "{events:?}");
        assert_eq!(world.faults(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_answer_ends_the_turn() {
    let mut world = World::new();
    let mut server = world.server().await;
    let turn = world.say("Hello?").await;
    server.accept().await;
    server.finish(&[ROLE, STOP, USAGE]).await;
    assert_eq!(world.answer().await, "");
    turn.complete();
    world.say("Hello?").await;
    let request = server.say("Yes.").await;
    assert_eq!(request.messages(), ["user: Hello?", "user: Hello?"]);
}

#[tokio::test(start_paused = true)]
async fn a_prompt_larger_than_every_buffer_is_sent_whole() {
    let system = "Be brief. ".repeat(50_000);
    let mut world = World::with(&json!({ "system": system }));
    let mut server = world.server().await;
    world.say("Hello?").await;
    let request = server.say("Hi.").await;
    assert_eq!(request.body["messages"][0]["content"], system);
    assert_eq!(world.answer().await, "Hi.");
}

#[tokio::test(start_paused = true)]
async fn the_greeting_needs_no_request() {
    let mut world = World::with(&json!({ "greeting": "Clinic, good morning." }));
    let mut server = world.server().await;
    let turn = world.say("").await;
    assert_eq!(world.answer().await, "Clinic, good morning.");
    turn.complete();
    world.say("Hello.").await;
    let request = server.say("Hi.").await;
    assert_eq!(request.messages(), ["assistant: Clinic, good morning.", "user: Hello."]);
}

#[tokio::test(start_paused = true)]
async fn what_the_call_is_given_stands_in_greeting_and_prompt() {
    let texts = json!({
        "greeting": "Good morning, {{patient_name}}.",
        "system": "You talk to {{patient_name}}, who came {{ visits }} times.",
    });
    let given = variables(&[("patient_name", "Ada".into()), ("visits", 3.into())]);
    let mut world = World::given(&texts, given);
    let mut server = world.server().await;
    let turn = world.say("").await;
    assert_eq!(world.answer().await, "Good morning, Ada.");
    turn.complete();
    world.say("Hello.").await;
    let request = server.say("Hi.").await;
    assert_eq!(request.body["messages"][0]["content"], "You talk to Ada, who came 3 times.");
}

#[tokio::test(start_paused = true)]
async fn a_greeting_of_which_nothing_is_left_is_asked_of_the_model() {
    let given = variables(&[("hello", "".into())]);
    let mut world = World::given(&json!({ "greeting": " {{hello}} " }), given);
    let mut server = world.server().await;
    world.say("").await;
    server.say("Clinic, hello.").await;
    assert_eq!(world.answer().await, "Clinic, hello.");
}

#[tokio::test(start_paused = true)]
async fn without_a_greeting_the_model_is_asked() {
    let mut world = World::new();
    let mut server = world.server().await;
    world.say("").await;
    let request = server.say("Clinic, hello.").await;
    assert_eq!(request.messages(), [""; 0]);
    assert_eq!(world.answer().await, "Clinic, hello.");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_input_lets_the_answer_finish() {
    let mut world = World::new();
    let mut server = world.server().await;
    world.say("Hello?").await;
    world.turns = voicegraph_engine::edge::Output::unconnected();
    server.say("Hi.").await;
    assert_eq!(world.answer().await, "Hi.");
    assert!(world.ended().await.is_ok());
    server.closed().await;
}
