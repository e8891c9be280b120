//! Turns as they should go: streaming, interruption, pauses, the end of a call.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, advance};
use voicegraph_engine::metrics::Usage;

use super::end::{Call, FRAME};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn samples(count: usize) -> impl Iterator<Item = i16> + Clone {
    (0..count).map(|at| i16::try_from(at % 30_000).expect("small"))
}

#[tokio::test(start_paused = true)]
#[expect(clippy::result_large_err, reason = "the callback's type is tungstenite's")]
async fn the_upgrade_is_the_reference_s() {
    let mut call = Call::new();
    let end = call.answer(|request, response| {
        assert_eq!(request.uri().path(), "/tts/websocket");
        assert_eq!(request.headers()["authorization"], "Bearer secret-key");
        assert_eq!(request.headers()["cartesia-version"], "2026-03-01");
        Ok(response)
    });
    assert!(end.await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_turn_is_one_context_and_streams() {
    let mut call = Call::new();
    let mut end = call.accept().await;
    let turn = call.begin();
    call.write(&turn, "Hello there. How").await;
    let first = end.heard().await;
    assert_eq!(
        first,
        json!({"context_id": "test-1-1", "model_id": "sonic-3", "transcript": "Hello there. ",
            "voice": {"mode": "id", "id": "v"},
            "output_format": {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 8000},
            "continue": true, "max_buffer_delay_ms": 0, "add_timestamps": true})
    );
    end.chunk("test-1-1", samples(FRAME)).await;
    assert_eq!(call.frame().await.body.samples(), samples(FRAME).collect::<Vec<_>>());
    call.write(&turn, " are you?").await;
    assert_eq!(end.asked().await, ("test-1-1".to_owned(), "How are you?".to_owned(), true));
    call.write_last(&turn, "").await;
    assert_eq!(end.asked().await, ("test-1-1".to_owned(), String::new(), false));
    end.chunk("test-1-1", samples(10)).await;
    end.done("test-1-1").await;
    assert_eq!(call.sound().await, samples(10).collect::<Vec<_>>());
    assert_eq!(call.faults(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn the_last_sentence_ends_the_context_where_the_end_is_known() {
    let mut call = Call::new();
    let mut end = call.accept().await;
    let turn = call.begin();
    call.write_last(&turn, "Yes. Dr. Meyer").await;
    assert_eq!(end.asked().await.1, "Yes. ");
    assert_eq!(end.asked().await, ("test-1-1".to_owned(), "Dr. Meyer".to_owned(), false));
}

#[tokio::test(start_paused = true)]
async fn text_is_sent_on_as_it_comes_whether_or_not_sound_came() {
    let mut call = Call::new();
    let mut end = call.accept().await;
    let (turn, start) = (call.begin(), Instant::now());
    call.write(&turn, "Good morning. How are you? I am well.").await;
    call.write_last(&turn, " Bye.").await;
    let (_, text) = end.asked_all().await;
    assert_eq!(text, "Good morning. How are you? I am well. Bye.");
    assert_eq!(start.elapsed(), ms(0));
    assert_eq!(call.faults(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn chunks_of_odd_size_make_exact_frames() {
    let mut call = Call::new();
    let mut end = call.accept().await;
    let turn = call.begin();
    call.write_last(&turn, "Hello there.").await;
    let (context, _) = end.asked_all().await;
    let bytes: Vec<u8> = samples(1000).flat_map(i16::to_le_bytes).collect();
    for piece in bytes.chunks(333) {
        end.bytes(&context, piece).await;
    }
    end.done(&context).await;
    assert_eq!(call.sound().await, samples(1000).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn two_turns_share_a_connection() {
    let mut call = Call::new();
    let mut end = call.accept().await;
    for name in ["test-1-1", "test-2-1"] {
        let turn = call.begin();
        call.write_last(&turn, "Hello there.").await;
        assert_eq!(end.asked_all().await, (name.to_owned(), "Hello there.".to_owned()));
        end.chunk(name, samples(300)).await;
        end.done(name).await;
        assert_eq!(call.sound().await.len(), 300);
        turn.complete();
    }
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_turn_is_cancelled_and_passed_over() {
    let mut call = Call::new();
    let mut end = call.accept().await;
    let turn = call.begin();
    call.write(&turn, "Hello there.").await;
    end.asked().await;
    end.chunk("test-1-1", samples(40 * FRAME)).await;
    call.frame().await;
    turn.begin_playout(Instant::now());
    call.control.interrupt(Instant::now());
    assert_eq!(end.heard().await, json!({"context_id": "test-1-1", "cancel": true}));
    // Of 40 frames one was taken, ten wait on the edge, and one for room there.
    assert_eq!(call.meter.discarded_total(), ms(20 * (40 - 12)));
    let next = call.begin();
    call.write_last(&next, "I see.").await;
    assert_eq!(end.asked_all().await, ("test-2-1".to_owned(), "I see.".to_owned()));
    end.chunk("test-1-1", [7; FRAME]).await;
    end.words("test-1-1", &[("Hello", 0.0, 0.1)]).await;
    end.done("test-1-1").await;
    end.chunk("test-2-1", samples(20)).await;
    end.done("test-2-1").await;
    let last = call.frame().await;
    assert_eq!(last.turn_of().expect("a turn").id(), next.id());
    assert_eq!(last.body.samples(), samples(20).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_turn_interrupted_before_its_first_request_says_nothing() {
    let mut call = Call::new();
    let mut end = call.accept().await;
    let turn = call.begin();
    call.write(&turn, "Hello").await;
    call.control.interrupt(Instant::now());
    let next = call.begin();
    call.write_last(&next, "Yes.").await;
    assert_eq!(end.asked().await.0, "test-2-1");
}

#[tokio::test(start_paused = true)]
async fn a_turn_without_text_is_an_empty_last_frame() {
    let mut call = Call::new();
    let turn = call.begin();
    call.write_last(&turn, " … ").await;
    let frame = call.frame().await;
    assert!(frame.last && frame.body.samples().is_empty());
}

#[tokio::test(start_paused = true)]
async fn text_after_its_turn_s_last_is_left_out() {
    let mut call = Call::new();
    let mut end = call.accept().await;
    let turn = call.begin();
    call.write_last(&turn, "").await;
    assert!(call.frame().await.last);
    call.write_last(&turn, "Too late.").await;
    let next = call.begin();
    call.write_last(&next, "In time.").await;
    assert_eq!(end.asked_all().await, ("test-2-1".to_owned(), "In time.".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn text_waits_for_the_connection_and_the_wait_is_the_provider_s() {
    let mut call = Call::new();
    let turn = call.begin();
    call.write_last(&turn, "Hello there.").await;
    let stream = call.stream().await;
    advance(ms(120)).await;
    let socket = tokio_tungstenite::accept_async(stream).await.expect("upgraded");
    let mut end = super::end::End::new(socket);
    let (context, _) = end.asked_all().await;
    advance(ms(80)).await;
    end.chunk(&context, samples(2 * FRAME)).await;
    call.frame().await;
    turn.begin_playout(Instant::now());
    turn.complete();
    let report = call.report(turn.id());
    assert_eq!(report.tts_ttfb, Some(ms(80)));
    assert_eq!(report.e2e, Some(ms(200)));
    assert_eq!(report.engine_added, Some(ms(0)));
    assert_eq!(call.meter.latency_us().max() / 1000, 80);
    let characters = "Hello there.".len() as u64;
    assert_eq!(call.meter.usage(), BTreeMap::from([(Usage::TtsCharacters, characters)]));
}

#[tokio::test(start_paused = true)]
async fn words_are_told_with_their_sound() {
    let mut call = Call::new();
    let mut end = call.accept().await;
    let turn = call.begin();
    call.write_last(&turn, "Hello there.").await;
    let (context, _) = end.asked_all().await;
    end.words(&context, &[("Hello", 0.0, 0.02), ("there.", 0.02, 0.05)]).await;
    end.chunk(&context, samples(2 * FRAME)).await;
    call.frame().await;
    turn.report_heard(ms(30));
    assert_eq!(turn.heard().text, "Hello");
    end.chunk(&context, samples(FRAME)).await;
    end.done(&context).await;
    call.sound().await;
    assert_eq!(turn.heard().text, "Hello there.");
}

#[tokio::test(start_paused = true)]
async fn a_context_that_expired_while_text_paused_is_not_used_again() {
    let mut call = Call::new();
    let mut end = call.accept().await;
    let turn = call.begin();
    call.write(&turn, "Let me look.").await;
    end.asked().await;
    end.chunk("test-1-1", samples(FRAME)).await;
    end.done("test-1-1").await;
    call.frame().await;
    advance(ms(9000)).await;
    call.write_last(&turn, " You are booked.").await;
    let (context, text) = end.asked_all().await;
    assert_eq!((context.as_str(), text.as_str()), ("test-1-2", " You are booked."));
    end.words(&context, &[("You", 0.0, 0.01)]).await;
    end.chunk(&context, samples(FRAME)).await;
    end.done(&context).await;
    assert_eq!(call.sound().await.len(), FRAME);
    turn.report_heard(ms(25));
    assert_eq!(turn.heard().text, "You", "its time is counted from the turn's first sound");
    assert_eq!(call.faults(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_context_that_may_be_about_to_expire_is_left() {
    let mut call = Call::new();
    let mut end = call.accept().await;
    let turn = call.begin();
    call.write(&turn, "Let me look.").await;
    end.asked().await;
    end.words("test-1-1", &[("Let", 0.0, 0.01), ("me", 0.01, 0.01), ("look.", 0.01, 0.02)]).await;
    end.chunk("test-1-1", samples(FRAME)).await;
    call.frame().await;
    advance(ms(900)).await;
    call.write(&turn, " You are booked.").await;
    assert_eq!(end.heard().await, json!({"context_id": "test-1-1", "cancel": true}));
    assert_eq!(end.asked().await.0, "test-1-2");
    end.words("test-1-2", &[("You", 0.0, 0.01), ("are", 0.01, 0.01), ("booked.", 0.01, 0.02)])
        .await;
    end.chunk("test-1-2", samples(FRAME)).await;
    call.frame().await;
    advance(ms(900)).await;
    call.write_last(&turn, "").await;
    assert!(call.frame().await.last, "nothing is left to be waited for");
    assert_eq!(end.heard().await, json!({"context_id": "test-1-2", "cancel": true}));
}

#[tokio::test(start_paused = true)]
async fn a_slow_listener_stops_the_reading() {
    let mut call = Call::with(json!({"audio_buffer_ms": 1000}));
    let mut end = call.accept().await;
    let turn = call.begin();
    call.write_last(&turn, "Hello there.").await;
    let (context, _) = end.asked_all().await;
    let second: Vec<i16> = samples(50 * FRAME).collect();
    let mut said = 0;
    let talk = async {
        for _ in 0..20 {
            end.chunk(&context, second.iter().copied()).await;
            said += 1;
        }
    };
    assert!(tokio::time::timeout(ms(60_000), talk).await.is_err(), "the node stops reading");
    assert!((1..=3).contains(&said), "{said} s were taken");
    assert_eq!(call.faults(), Vec::<String>::new(), "waiting for the listener is no stall");
    let mut heard = 0;
    while heard < said * 50 * FRAME {
        heard += call.frame().await.body.samples().len();
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_text_lets_the_turn_finish() {
    let mut call = Call::new();
    let mut end = call.accept().await;
    let turn = call.begin();
    call.write(&turn, "Good morning, Sir").await;
    let (context, clause, _) = end.asked().await;
    assert_eq!(clause, "Good morning, ");
    call.close_text();
    assert_eq!(end.asked().await, (context.clone(), "Sir".to_owned(), false));
    end.chunk(&context, samples(300)).await;
    end.done(&context).await;
    assert_eq!(call.sound().await.len(), 300);
    assert_eq!(end.left().await, Vec::<String>::new());
    call.ended().await.expect("no error");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_call_stops_at_once() {
    let mut call = Call::new();
    let mut end = call.accept().await;
    let turn = call.begin();
    call.write(&turn, "Hello there.").await;
    end.asked().await;
    call.cancelled.cancel();
    end.left().await;
    call.ended().await.expect("no error");
}

#[tokio::test(start_paused = true)]
async fn nobody_listening_ends_the_node() {
    let mut call = Call::new();
    let mut end = call.accept().await;
    let turn = call.begin();
    call.write(&turn, "Hello there.").await;
    end.asked().await;
    call.audio = voicegraph_engine::edge::Input::unconnected();
    end.chunk("test-1-1", samples(FRAME)).await;
    assert_eq!(call.failed().await, "nobody reads this node's output any more");
}
