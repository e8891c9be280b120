//! What goes wrong at the provider: refusals, errors, cuts, stalls, silence between turns.

use std::time::Duration;

use serde_json::json;
use tokio::time::advance;

use super::end::{Call, End, FRAME};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Sound of so many frames, each sample of value `value`.
fn frames(count: usize, value: i16) -> Vec<i16> {
    vec![value; count * FRAME]
}

/// Speaks what the node asks for: `count` frames of `value`.
async fn speak(end: &mut End, count: usize, value: i16) -> String {
    let (context, text) = end.asked_all().await;
    end.chunk(&context, frames(count, value)).await;
    end.done(&context).await;
    text
}

#[tokio::test(start_paused = true)]
async fn a_refused_key_ends_the_call_at_once() {
    let mut call = Call::new();
    call.refuse(401, r#"{"error_code":"unauthorized","title":"…","message":"Invalid API key"}"#)
        .await;
    assert_eq!(call.failed().await, "cartesia: HTTP 401: Invalid API key");
    assert_eq!(call.faults(), ["cartesia: HTTP 401: Invalid API key"]);
}

#[tokio::test(start_paused = true)]
async fn errors_of_both_shapes_that_cannot_pass_end_the_call() {
    for (error, expected) in [
        (
            json!({"type": "error", "done": true, "status_code": 400,
                "error": "Invalid voice: v", "context_id": "test-1-1"}),
            "cartesia: HTTP 400: Invalid voice: v",
        ),
        (
            json!({"type": "error", "done": true, "status_code": 404,
                "error_code": "model_not_found", "title": "Model not found",
                "message": "No model sonic-9", "request_id": "r", "context_id": "test-1-1"}),
            "cartesia: HTTP 404: No model sonic-9",
        ),
        (
            json!({"type": "error", "done": true, "status_code": 402, "title": "Out of credits",
                "message": null, "request_id": "r"}),
            "cartesia: HTTP 402: Out of credits",
        ),
    ] {
        let mut call = Call::new();
        let mut end = call.accept().await;
        let turn = call.begin();
        call.write(&turn, "Hello there.").await;
        end.asked().await;
        end.say(error).await;
        assert_eq!(call.failed().await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_that_may_pass_is_tried_again_on_the_same_connection() {
    let mut call = Call::new();
    let mut end = call.accept().await;
    let turn = call.begin();
    call.write_last(&turn, "Hello there.").await;
    end.asked_all().await;
    end.say(json!({"type": "error", "done": true, "status_code": 429,
        "error_code": "concurrency_limited", "title": "Too many concurrent requests",
        "message": "slow down", "request_id": "r", "context_id": "test-1-1"}))
        .await;
    assert_eq!(end.asked_all().await, ("test-1-2".to_owned(), "Hello there.".to_owned()));
    end.chunk("test-1-2", frames(2, 5)).await;
    end.done("test-1-2").await;
    assert_eq!(call.sound().await, frames(2, 5));
    assert_eq!(call.faults(), ["cartesia: HTTP 429: slow down"]);
}

#[tokio::test(start_paused = true)]
async fn retries_are_capped() {
    let mut call = Call::with(json!({"max_retries": 2}));
    let mut end = call.accept().await;
    let turn = call.begin();
    call.write_last(&turn, "Hello there.").await;
    for _ in 0..3 {
        let (context, _) = end.asked_all().await;
        end.say(json!({"type": "error", "status_code": 503, "error": "busy",
            "context_id": context}))
            .await;
    }
    assert_eq!(call.failed().await, "cartesia: HTTP 503: busy");
    assert_eq!(call.faults().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_cut_within_a_sentence_loses_and_repeats_no_word() {
    let mut call = Call::new();
    let mut end = call.accept().await;
    let turn = call.begin();
    call.write_last(&turn, "You are booked for Monday.").await;
    let (context, _) = end.asked_all().await;
    let words = [("You", 0.0, 0.5), ("are", 0.5, 1.0), ("booked", 1.0, 1.5), ("for", 1.5, 2.0)];
    end.words(&context, &words).await;
    // 1.2 s of sound: the third word is heard in part, and nobody has listened yet.
    end.chunk(&context, frames(60, 1)).await;
    drop(end);
    let mut end = call.accept().await;
    let (context, text) = end.asked_all().await;
    assert_eq!((context.as_str(), text.as_str()), ("test-1-2", " booked for Monday."));
    let words = [("booked", 0.0, 0.5), ("for", 0.5, 1.0), ("Monday.", 1.0, 1.5)];
    end.words(&context, &words).await;
    end.chunk(&context, frames(75, 2)).await;
    end.done(&context).await;
    assert_eq!(call.sound().await, [frames(50, 1), frames(75, 2)].concat());
    turn.report_heard(ms(1600));
    assert_eq!(turn.heard().text, "You are booked for");
    assert_eq!(call.faults().len(), 1, "{:?}", call.faults());
}

#[tokio::test(start_paused = true)]
async fn a_cut_after_the_last_word_repeats_nothing() {
    let mut call = Call::new();
    let mut end = call.accept().await;
    let turn = call.begin();
    call.write_last(&turn, "You are booked.").await;
    let (context, _) = end.asked_all().await;
    end.words(&context, &[("You", 0.0, 0.1), ("are", 0.1, 0.2), ("booked.", 0.2, 0.3)]).await;
    end.chunk(&context, frames(15, 1)).await;
    end.close().await;
    assert_eq!(call.sound().await, frames(15, 1));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_says_nothing_is_left_for_a_new_connection() {
    let mut call = Call::new();
    let mut silent = call.accept().await;
    let turn = call.begin();
    call.write_last(&turn, "Hello there.").await;
    silent.asked_all().await;
    let mut end = call.accept().await;
    assert_eq!(speak(&mut end, 2, 5).await, "Hello there.");
    assert_eq!(call.sound().await, frames(2, 5));
    assert_eq!(call.faults(), ["cartesia: no sound within 3000 ms"]);
}

#[tokio::test(start_paused = true)]
async fn a_stall_within_the_sound_is_left_for_a_new_connection() {
    let mut call = Call::new();
    let mut stalled = call.accept().await;
    let turn = call.begin();
    call.write_last(&turn, "Hello there.").await;
    let (context, _) = stalled.asked_all().await;
    stalled.words(&context, &[("Hello", 0.0, 0.02)]).await;
    stalled.chunk(&context, frames(1, 1)).await;
    let mut end = call.accept().await;
    assert_eq!(speak(&mut end, 1, 2).await, " there.");
    assert_eq!(call.sound().await, [frames(1, 1), frames(1, 2)].concat());
    assert_eq!(call.faults(), ["cartesia: no progress within 3000 ms"]);
}

#[tokio::test(start_paused = true)]
async fn a_pause_of_the_text_is_no_stall() {
    let mut call = Call::new();
    let mut end = call.accept().await;
    let turn = call.begin();
    call.write(&turn, "Let me look.").await;
    end.asked().await;
    end.chunk("test-1-1", frames(1, 1)).await;
    advance(ms(30_000)).await;
    call.write_last(&turn, " Yes.").await;
    assert_eq!(end.asked().await.1, " Yes.");
    assert_eq!(call.faults(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn malformed_messages_are_a_failure_and_are_not_repeated() {
    let mut call = Call::new();
    let mut end = call.accept().await;
    let turn = call.begin();
    call.write_last(&turn, "Hello there.").await;
    end.asked_all().await;
    end.say_text(r#"{"type":"chunk","data":"private"#).await;
    let mut end = call.accept().await;
    assert_eq!(speak(&mut end, 1, 2).await, "Hello there.");
    assert_eq!(call.sound().await, frames(1, 2));
    assert!(!call.faults()[0].contains("private"), "{:?}", call.faults());
}

#[tokio::test(start_paused = true)]
async fn an_end_without_sound_is_a_failure() {
    let mut call = Call::new();
    let mut end = call.accept().await;
    let turn = call.begin();
    call.write_last(&turn, "Hello there.").await;
    let (context, _) = end.asked_all().await;
    end.done(&context).await;
    assert_eq!(speak(&mut end, 1, 2).await, "Hello there.");
    assert_eq!(call.sound().await, frames(1, 2));
    assert_eq!(call.faults(), ["cartesia: done without sound"]);
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_that_is_closed_is_silently_reopened() {
    let mut call = Call::new();
    let mut end = call.accept().await;
    for _ in 0..3 {
        let turn = call.begin();
        call.write_last(&turn, "Hello there.").await;
        assert_eq!(speak(&mut end, 1, 2).await, "Hello there.");
        assert_eq!(call.sound().await, frames(1, 2));
        turn.complete();
        drop(end);
        end = call.accept().await;
    }
    assert_eq!(call.faults(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_renewed_before_the_provider_closes_it() {
    let mut call = Call::with(json!({"idle_reconnect_s": 50}));
    let mut end = call.accept().await;
    let mut renewed = call.accept().await;
    end.left().await;
    let turn = call.begin();
    call.write_last(&turn, "Hello there.").await;
    assert_eq!(speak(&mut renewed, 1, 2).await, "Hello there.");
    assert_eq!(call.faults(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_gone_between_turns_ends_no_call_until_it_is_needed() {
    let mut call = Call::with(json!({"max_retries": 1}));
    for _ in 0..4 {
        call.refuse(503, "down").await;
    }
    let turn = call.begin();
    call.write_last(&turn, "Hello there.").await;
    // The last refusal is read when the turn needs the line: it is the first of the turn's.
    call.refuse(503, "down").await;
    assert_eq!(call.failed().await, "cartesia: HTTP 503: down");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_does_not_read_is_left_for_a_new_connection() {
    let mut call = Call::new();
    let _deaf = call.accept().await;
    let turn = call.begin();
    let text = format!("{}end.", "word ".repeat(5000));
    call.write_last(&turn, &text).await;
    let mut end = call.accept().await;
    assert_eq!(speak(&mut end, 1, 2).await, text);
    assert_eq!(call.sound().await, frames(1, 2));
    assert_eq!(call.faults(), ["cartesia: a message was not taken within 2000 ms"]);
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_that_hangs_is_tried_again() {
    let mut call = Call::new();
    let turn = call.begin();
    call.write_last(&turn, "Hello there.").await;
    let _hanging = call.stream().await;
    let mut end = call.accept().await;
    assert_eq!(speak(&mut end, 1, 2).await, "Hello there.");
    assert_eq!(call.faults(), ["cartesia: no upgrade within 5000 ms"]);
}
