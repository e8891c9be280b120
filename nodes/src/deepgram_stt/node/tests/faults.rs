//! Calls in which the provider or the network fails.

use super::server::{Sent, refuse};
use super::*;

#[tokio::test(start_paused = true)]
async fn a_wrong_key_ends_the_call_at_once_and_is_not_shown() {
    for (status, code) in [
        ("400 Bad Request", 400),
        ("401 Unauthorized", 401),
        ("402 Payment Required", 402),
        ("403 Forbidden", 403),
        ("404 Not Found", 404),
    ] {
        let mut call = Call::start(json!({}));
        let body = r#"{"err_code":"X","err_msg":"No: k-secret.","request_id":"r"}"#;
        refuse(call.dialled().await, status, "", body).await;
        let error = call.end().await.unwrap_err().to_string();
        assert_eq!(error, format!("deepgram: HTTP {code}: No: ***."));
        assert_eq!(call.faults(), [format!("0 HTTP {code}: No: ***.; no retry")]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_busy_provider_is_tried_again_with_what_was_said_meanwhile() {
    let mut call = Call::start(json!({}));
    let body = r#"{"err_code":"TOO_MANY_REQUESTS","err_msg":"Too many requests."}"#;
    refuse(call.dialled().await, "429 Too Many Requests", "", body).await;
    let end = call.dialled().await;
    assert!((75..=100).contains(&call.start.elapsed().as_millis()));
    refuse(end, "503 Service Unavailable", "Retry-After: 2\r\n", "").await;
    call.say(2000, 3000).await;
    call.accept().await.take_audio(100).await;
    let faults = call.faults();
    assert_eq!(faults[0], "0 HTTP 429: Too many requests.; retry");
    assert!(faults[1].ends_with("HTTP 503; retry"), "{faults:?}");
    assert_eq!(faults.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn retries_have_an_end() {
    let mut call = Call::start(json!({ "max_retries": 2 }));
    for _ in 0..3 {
        call.accept().await.close(1011, "NET-0000").await;
    }
    let error = call.end().await.unwrap_err().to_string();
    assert_eq!(error, "deepgram: connection closed with 1011 NET-0000");
    assert_eq!(call.faults().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_result_starts_the_count_of_retries_anew() {
    let mut call = Call::start(json!({ "max_retries": 1 }));
    for _ in 0..4 {
        let mut server = call.accept().await;
        server.results(0.0, 0.0, "final", "").await;
        server.close(1011, "NET-0000").await;
    }
    call.accept().await;
}

#[tokio::test(start_paused = true)]
async fn undecodable_audio_is_not_tried_again() {
    let mut call = Call::start(json!({}));
    call.accept().await.close(1008, "DATA-0000").await;
    let error = call.end().await.unwrap_err().to_string();
    assert_eq!(error, "deepgram: connection closed with 1008 DATA-0000");
}

#[tokio::test(start_paused = true)]
async fn a_cut_in_mid_utterance_loses_and_doubles_nothing() {
    let mut call = Call::start(json!({}));
    let mut server = call.accept().await;
    call.say(2000, 3000).await;
    server.take_audio(100).await;
    server.results(0.0, 1.0, "final", "I would like").await;
    server.results(1.0, 2.0, "interim", "to see").await;
    assert_eq!(call.told().await, "= I would like");
    assert_eq!(call.told().await, "~ to see");
    drop(server);
    call.say(400, 3000).await;
    let mut server = call.accept().await;
    // One second without a final, and what was said since.
    server.take_audio(50 + 20).await;
    call.say(20, 3000).await;
    server.take_audio(1).await;
    server.results(0.0, 1.4, "speech_final", "to see a doctor.").await;
    let told = limited(call.transcript.recv()).await.unwrap().body;
    assert_eq!(told.text, "to see a doctor.");
    assert_eq!(told.audio_end.map(|end| (end - call.start).as_millis()), Some(2400));
    assert_eq!(call.faults().len(), 1);
    assert!(call.faults()[0].starts_with("2000 connection lost"), "{:?}", call.faults());
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_says_nothing_is_given_up() {
    let mut call = Call::start(json!({ "progress_timeout_ms": 2000, "max_retries": 1 }));
    let mut first = call.accept().await;
    call.say(400, 3000).await;
    let mut second = call.accept().await;
    // The first 300 ms of speech made an answer due.
    let what = "speech was sent and nothing came back within 2000 ms";
    assert_eq!(call.faults(), [format!("2300 {what}; retry")]);
    first.take_audio(20).await;
    assert_eq!(first.next().await, Sent::Gone);
    second.take_audio(20).await;
    let error = call.end().await.unwrap_err().to_string();
    assert_eq!(error, format!("deepgram: {what}"));
}

#[tokio::test(start_paused = true)]
async fn silence_is_no_fault() {
    let mut call = Call::start(json!({ "progress_timeout_ms": 2000 }));
    let mut server = call.accept().await;
    call.say(30_000, 50).await;
    server.take_audio(1500).await;
    assert!(call.faults().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_network_that_takes_nothing_is_given_up() {
    let fields = json!({ "send_timeout_ms": 1000, "progress_timeout_ms": 60_000 });
    let mut call = Call::start_with_pipe(fields, 2048);
    let _server = call.accept().await;
    // Three frames of 648 bytes fit into the pipe; the fourth does not.
    call.say(400, 3000).await;
    let mut server = call.accept().await;
    assert_eq!(call.faults(), ["1080 audio could not be sent within 1000 ms; retry"]);
    server.take_audio(20).await;
}

#[tokio::test(start_paused = true)]
async fn no_upgrade_is_a_fault_within_its_limit() {
    let mut call = Call::start(json!({ "connect_timeout_ms": 800, "max_retries": 0 }));
    let _end = call.dialled().await;
    let error = call.end().await.unwrap_err().to_string();
    assert_eq!(error, "deepgram: no upgrade within 800 ms");
    assert_eq!(call.start.elapsed(), ms(800));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_counted_and_passed_over() {
    let mut call = Call::start(json!({}));
    let mut server = call.accept().await;
    call.say(400, 3000).await;
    for text in ["{\"type\":", "[]", "{}", r#"{"type":"Brand","new":1}"#] {
        server.say(text).await;
    }
    server.say(r#"{"type":"Error","variant":"SchemaError","description":"no"}"#).await;
    server.results(0.0, 0.4, "final", "Yes.").await;
    assert_eq!(call.told().await, "= Yes.");
    assert_eq!(
        call.faults(),
        [
            "400 unreadable messages ignored so far: 1; no retry",
            "400 unreadable messages ignored so far: 2; no retry",
            "400 the provider could not read a message: SchemaError: no; no retry",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_cut_during_the_drain_is_mended() {
    let mut call = Call::start(json!({}));
    let mut server = call.accept().await;
    call.say(1000, 3000).await;
    call.end_audio();
    server.next_text().await;
    drop(server);
    let mut server = call.accept().await;
    let (bytes, text) = server.next_text().await;
    assert_eq!((bytes, text.as_str()), (50 * 640, r#"{"type":"CloseStream"}"#));
    server.results(0.0, 1.0, "final", "Good bye.").await;
    server.finish().await;
    assert_eq!(call.told().await, "= Good bye.");
    assert!(call.end().await.is_ok());
}
