//! Calls in which nothing goes wrong.

use super::server::Sent;
use super::*;

#[tokio::test(start_paused = true)]
async fn it_connects_before_there_is_audio_and_says_who_it_is() {
    let mut call = Call::start(json!({ "keyterms": ["Patel"] }));
    let server = call.accept().await;
    assert_eq!(call.start.elapsed(), ms(0));
    assert!(server.path.starts_with("/v1/listen?model=nova-3&"), "{}", server.path);
    assert!(server.path.ends_with("&keyterm=Patel&tag=test"), "{}", server.path);
    assert_eq!(server.authorization, "Token k-secret");
}

#[tokio::test(start_paused = true)]
async fn words_are_told_as_they_come() {
    let mut call = Call::start(json!({}));
    let mut server = call.accept().await;
    call.say(2000, 3000).await;
    server.take_audio(100).await;
    server.results(0.0, 1.0, "interim", "hello").await;
    assert_eq!(call.told().await, "~ hello");
    server.results(0.0, 1.2, "final", "Hello there.").await;
    assert_eq!(call.told().await, "= Hello there.");
    server.results(1.2, 1.9, "interim", "").await;
    server.results(1.2, 2.0, "speech_final", "How are you?").await;
    assert_eq!(call.told().await, ". How are you?");
    // Each at the instant at which it came.
    assert_eq!(call.start.elapsed(), ms(2000));
}

#[tokio::test(start_paused = true)]
async fn a_transcript_carries_its_times() {
    let mut call = Call::start(json!({}));
    let mut server = call.accept().await;
    call.say(1000, 3000).await;
    server.take_audio(50).await;
    tokio::time::sleep(ms(150)).await;
    server.results(0.0, 0.8, "speech_final", "Hello there.").await;
    let told = limited(call.transcript.recv()).await.unwrap();
    let since = |at: Instant| (at - call.start).as_millis();
    assert_eq!(told.body.audio_end.map(since), Some(800));
    assert_eq!((since(told.origin), since(told.body.received)), (800, 1150));
    let latency = call.meter.latency_us();
    assert!(latency.len() == 1 && latency.equivalent(latency.max(), 350_000), "{latency:?}");
}

#[tokio::test(start_paused = true)]
async fn audio_is_sent_as_little_endian_bytes() {
    let mut call = Call::start(json!({}));
    let mut server = call.accept().await;
    call.frame(0x0102).await;
    assert_eq!(server.next().await, Sent::Audio([2, 1].repeat(320)));
}

#[tokio::test(start_paused = true)]
async fn audio_captured_while_it_connects_is_sent() {
    let mut call = Call::start(json!({}));
    let end = call.dialled().await;
    call.say(1000, 3000).await;
    Server::accept(end).await.take_audio(50).await;
    assert!(call.faults().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_gap_between_words_ends_an_utterance_that_silence_did_not() {
    let mut call = Call::start(json!({ "utterance_end_ms": 1000, "endpointing_ms": 0 }));
    let mut server = call.accept().await;
    call.say(3000, 3000).await;
    let gap = r#"{"type":"UtteranceEnd","channel":[0,1],"last_word_end":2.395}"#;
    server.results(0.0, 2.395, "final", "Hello there.").await;
    server.say(gap).await;
    server.say(gap).await;
    server.results(2.4, 3.0, "speech_final", "Bye.").await;
    server.say(r#"{"type":"UtteranceEnd","channel":[0,1],"last_word_end":2.8}"#).await;
    for expected in ["= Hello there.", "_ ", ". Bye."] {
        assert_eq!(call.told().await, expected);
    }
    call.end_audio();
    server.next_text().await;
    server.finish().await;
    assert!(call.end().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_end_of_speech_asks_for_the_final() {
    let mut call = Call::start(json!({}));
    let mut server = call.accept().await;
    call.say(400, 3000).await;
    call.end_speech().await;
    let finalize = r#"{"type":"Finalize"}"#.to_owned();
    assert_eq!(server.next_text().await, (20 * 640, finalize));
    assert_eq!(call.start.elapsed(), ms(400));
    server.results(0.0, 0.4, "from_finalize", "Yes.").await;
    assert_eq!(call.told().await, "= Yes.");
}

#[tokio::test(start_paused = true)]
async fn a_final_that_never_comes_is_replaced_by_the_interim() {
    let mut call = Call::start(json!({ "finalize_timeout_ms": 600 }));
    let mut server = call.accept().await;
    call.say(400, 3000).await;
    server.results(0.0, 0.4, "interim", "yes").await;
    assert_eq!(call.told().await, "~ yes");
    call.end_speech().await;
    assert_eq!(call.told().await, "= yes");
    assert_eq!(call.start.elapsed(), ms(1000));
    assert!(call.faults().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_kept() {
    let mut call = Call::start(json!({ "keep_alive_ms": 3000 }));
    let mut server = call.accept().await;
    call.say(1000, 0).await;
    server.take_audio(50).await;
    for expected in [4000, 7000, 10_000] {
        assert_eq!(server.next().await, Sent::Text(r#"{"type":"KeepAlive"}"#.to_owned()));
        assert_eq!(call.start.elapsed(), ms(expected));
    }
    call.say(2980, 0).await;
    server.take_audio(149).await;
    server.next_text().await;
    assert_eq!(call.start.elapsed(), ms(15_980));
}

#[tokio::test(start_paused = true)]
async fn a_drain_waits_for_the_last_words() {
    let mut call = Call::start(json!({}));
    let mut server = call.accept().await;
    call.say(1000, 3000).await;
    call.end_audio();
    let (bytes, text) = server.next_text().await;
    assert_eq!((bytes, text.as_str()), (50 * 640, r#"{"type":"CloseStream"}"#));
    tokio::time::sleep(ms(700)).await;
    server.results(0.0, 1.0, "final", "Good bye.").await;
    server.finish().await;
    assert_eq!(call.told().await, "= Good bye.");
    assert!(call.end().await.is_ok());
    assert_eq!(call.start.elapsed(), ms(1700));
}

#[tokio::test(start_paused = true)]
async fn a_drain_has_a_limit() {
    let mut call = Call::start(json!({ "close_timeout_ms": 1500 }));
    let mut server = call.accept().await;
    call.say(1000, 3000).await;
    server.results(0.0, 0.9, "interim", "good bye").await;
    assert_eq!(call.told().await, "~ good bye");
    call.end_audio();
    assert_eq!(call.told().await, "= good bye");
    assert!(call.end().await.is_ok());
    assert_eq!(call.start.elapsed(), ms(2500));
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_call_stops_it_at_once() {
    let mut call = Call::start(json!({}));
    let _server = call.accept().await;
    call.say(100, 3000).await;
    call.cancelled.cancel();
    assert!(call.end().await.is_ok());
    assert_eq!(call.start.elapsed(), ms(100));
}

#[tokio::test(start_paused = true)]
async fn it_ends_when_nobody_reads() {
    let mut call = Call::start(json!({}));
    let mut server = call.accept().await;
    call.say(400, 3000).await;
    call.transcript = Input::unconnected();
    server.results(0.0, 0.4, "final", "Yes.").await;
    assert!(call.end().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn audio_of_another_rate_is_refused() {
    let mut call = Call::start(json!({}));
    let rate = std::num::NonZeroU32::new(24_000).unwrap();
    let frame = AudioFrame::silence(ms(20), rate);
    call.audio.as_mut().unwrap().send(Envelope::session(Instant::now(), frame)).await.unwrap();
    let error = call.end().await.unwrap_err().to_string();
    assert!(error.contains("sound at 24000 Hz, and takes 16000 Hz"), "{error}");
}
