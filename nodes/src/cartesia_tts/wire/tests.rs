use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn voice() -> Voice {
    Voice {
        model: "sonic-3".to_owned(),
        voice: "<uuid>".to_owned(),
        language: Some("en".to_owned()),
        sample_rate_hz: 24_000,
        max_buffer_delay_ms: 0,
        word_timestamps: true,
        manner: Manner::default(),
    }
}

fn encoded(request: &Request, voice: &Voice) -> Value {
    serde_json::from_str(&request.encode(voice)).expect("JSON")
}

fn hello() -> Request {
    Request::Speak {
        context: "turn-17".to_owned(),
        transcript: "Hello there. ".to_owned(),
        more: true,
    }
}

#[test]
fn a_request_is_the_reference_s() {
    let expected = json!({"context_id":"turn-17","model_id":"sonic-3","transcript":"Hello there. ",
        "voice":{"mode":"id","id":"<uuid>"},
        "output_format":{"container":"raw","encoding":"pcm_s16le","sample_rate":24000},
        "language":"en","continue":true,"max_buffer_delay_ms":0,"add_timestamps":true});
    assert_eq!(encoded(&hello(), &voice()), expected);
}

#[test]
fn the_manner_is_sent_where_it_is_set() {
    let manner = Manner { speed: Some(1.25), ..Manner::default() };
    let request = encoded(&hello(), &Voice { manner, language: None, ..voice() });
    assert_eq!(request["generation_config"], json!({"speed": 1.25}));
    assert_eq!(request.get("language"), None);
}

#[test]
fn a_cancel_is_the_reference_s() {
    let cancel = Request::Cancel { context: "turn-17".to_owned() };
    assert_eq!(encoded(&cancel, &voice()), json!({"context_id":"turn-17","cancel":true}));
}

fn check(text: &str, context: Option<&str>, body: Body) {
    let expected = Reply { context: context.map(str::to_owned), body };
    assert_eq!(decode(text), Ok(expected), "{text}");
}

fn spoken(text: &str, start: u64, end: u64) -> SpokenWord {
    let ms = Duration::from_millis;
    SpokenWord { text: text.to_owned(), start: ms(start), end: ms(end) }
}

#[test]
fn reads_sound_and_words() {
    check(
        r#"{"type":"chunk","data":"AQACAA==","done":false,"status_code":206,"step_time":12.3,
            "context_id":"turn-17","flush_id":1}"#,
        Some("turn-17"),
        Body::Chunk(vec![1, 0, 2, 0]),
    );
    check(
        r#"{"type":"timestamps","done":false,"status_code":206,"context_id":"turn-17",
            "word_timestamps":{"words":["Hello","there."],"start":[0.0,0.31],"end":[0.3,0.7]}}"#,
        Some("turn-17"),
        Body::Words(vec![spoken("Hello", 0, 300), spoken("there.", 310, 700)]),
    );
}

#[test]
fn reads_the_end_and_passes_over_the_rest() {
    let turn = Some("turn-17");
    let done = r#"{"type":"done","done":true,"status_code":206,"context_id":"turn-17"}"#;
    check(done, turn, Body::Done);
    let flushed = r#"{"type":"flush_done","done":false,"flush_done":true,"flush_id":1,
        "status_code":206,"context_id":"turn-17"}"#;
    check(flushed, turn, Body::Other);
    let phonemes = r#"{"type":"phoneme_timestamps","context_id":"turn-17",
        "phoneme_timestamps":{"phonemes":["h","ə"],"start":[0.0,0.1],"end":[0.1,0.2]}}"#;
    check(phonemes, turn, Body::Other);
}

#[test]
fn an_error_is_told_before_its_done_in_both_shapes() {
    let error = |status, message: &str| {
        Body::Error(WireError { status: Some(status), message: message.to_owned() })
    };
    check(
        r#"{"type":"error","done":true,"status_code":429,"error_code":"concurrency_limited",
            "title":"Too many concurrent requests","message":"…","request_id":"…",
            "doc_url":"https://…","context_id":"turn-17"}"#,
        Some("turn-17"),
        error(429, "…"),
    );
    check(
        r#"{"type":"error","done":true,"status_code":400,"error":"Invalid voice: …",
            "context_id":"turn-17"}"#,
        Some("turn-17"),
        error(400, "Invalid voice: …"),
    );
    check(
        r#"{"type":"error","done":true,"status_code":400,"error_code":null,"title":"Bad JSON"}"#,
        None,
        error(400, "Bad JSON"),
    );
}

#[test]
fn refuses_what_it_cannot_read() {
    let times = |times: &str| format!(r#"{{"type":"timestamps","word_timestamps":{times}}}"#);
    for (text, expected) in [
        ("{", "a message is malformed at line 1, column 1"),
        (r#"{"data":"AQ=="}"#, "a message is malformed at line 1, column 15"),
        (r#"{"type":"chunk"}"#, r#"a message of type "chunk" has no "data""#),
        (r#"{"type":"chunk","data":"?"}"#, "a chunk's audio is not base64"),
        (
            &times(r#"{"words":["a"],"start":[],"end":[1]}"#),
            "word times that are not parallel or no times",
        ),
        (
            &times(r#"{"words":["a"],"start":[0],"end":[1e300]}"#),
            "word times that are not parallel or no times",
        ),
    ] {
        assert_eq!(decode(text).expect_err(text).to_string(), expected);
    }
}

#[test]
fn a_word_never_ends_before_it_begins() {
    let text = r#"{"type":"timestamps","word_timestamps":
        {"words":[" a "],"start":[0.5],"end":[-1]}}"#;
    check(text, None, Body::Words(vec![spoken("a", 500, 500)]));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,200}") {
        let _ = decode(&text);
    }

    #[test]
    fn any_transcript_survives_the_way(transcript in ".*") {
        let request =
            Request::Speak { context: "a".to_owned(), transcript: transcript.clone(), more: false };
        prop_assert_eq!(&encoded(&request, &voice())["transcript"], &json!(transcript));
    }

    #[test]
    fn any_sound_survives_the_way(audio in prop::collection::vec(any::<u8>(), 0..100)) {
        let text = json!({"type": "chunk", "data": STANDARD.encode(&audio)}).to_string();
        prop_assert_eq!(decode(&text).expect("a chunk").body, Body::Chunk(audio));
    }
}
