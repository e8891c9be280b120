//! `/v1/listen`: what is heard, and exactly when.

use std::time::Duration;

use serde_json::{Value, json};
use voicegraph_simulators::Simulators;

use crate::client::{Got, Socket, loud, refusal, silence, simulators};

const KEY: (&str, &str) = ("authorization", "Token key");
const QUERY: &str = "/v1/listen?model=nova-3&encoding=linear16&sample_rate=16000\
    &punctuate=true&endpointing=300";
const SCRIPT: &str = "
    [deepgram]
    final_delay_ms = 150
    interim_delay_ms = 50
    interim_every_ms = 400
    ms_per_char = 100
    [[deepgram.utterances]]
    heard = \"Hello there.\"
    [[deepgram.utterances]]
    heard = \"\"
    [[deepgram.utterances]]
    heard = \"How are you?\"
";

async fn open(simulators: &Simulators, extra: &str) -> Socket {
    Socket::open(simulators, &format!("{QUERY}{extra}"), &[KEY]).await.unwrap()
}

/// A message in a few words.
fn brief(message: &Value) -> String {
    let seconds = |value: &Value| value.as_f64().unwrap();
    match message["type"].as_str().unwrap() {
        "Results" => {
            let flags = [("is_final", 'F'), ("speech_final", 'S'), ("from_finalize", 'Z')];
            let flags =
                flags.map(|(flag, letter)| if message[flag] == true { letter } else { '-' });
            let text = &message["channel"]["alternatives"][0]["transcript"];
            let (start, duration) = (seconds(&message["start"]), seconds(&message["duration"]));
            let flags: String = flags.iter().collect();
            format!("{start:.2}+{duration:.2} {flags} {}", text.as_str().unwrap())
        }
        "SpeechStarted" => format!("started {:.2}", seconds(&message["timestamp"])),
        "UtteranceEnd" => format!("end {:.2}", seconds(&message["last_word_end"])),
        other => other.to_owned(),
    }
}

/// Speaks `audio`, closes, and gives all messages with their times.
async fn hear(socket: &mut Socket, audio: &[i16]) -> Vec<String> {
    socket.speak(audio).await;
    socket.text(r#"{"type":"CloseStream"}"#).await;
    told(socket.rest().await)
}

fn told(all: Vec<(u64, Got)>) -> Vec<String> {
    let line = |(at, got)| match got {
        Got::Json(message) => format!("{at} {}", brief(&message)),
        Got::Closed(code, _) => format!("{at} close {code}"),
        other => format!("{at} {other:?}"),
    };
    all.into_iter().map(line).collect()
}

#[tokio::test(start_paused = true)]
async fn final_comes_its_delay_after_the_endpoint() {
    let mut socket = open(&simulators(SCRIPT), "").await;
    let heard = hear(&mut socket, &[silence(200), loud(600), silence(400)].concat()).await;
    // Speech ends at 800 ms, the endpoint is 300 ms later, the final 150 ms after that; all that
    // was sent is known to be heard when the stream closes.
    assert_eq!(heard, ["1250 0.00+1.10 FS- Hello there.", "1250 Metadata", "1250 close 1000"]);
}

#[tokio::test(start_paused = true)]
async fn interims_and_events_come_when_asked_for() {
    let mut socket =
        open(&simulators(SCRIPT), "&interim_results=true&vad_events=true&utterance_end_ms=1000")
            .await;
    let heard = hear(&mut socket, &[silence(200), loud(1_000), silence(1_200)].concat()).await;
    assert_eq!(
        heard,
        [
            "310 started 0.20",
            "450 0.00+0.40 --- ",
            "850 0.00+0.80 --- Hello",
            "1250 0.00+1.20 --- Hello",
            "1650 0.00+1.50 FS- Hello there.",
            "1950 1.50+0.40 --- ",
            "2250 end 1.20",
            "2350 1.50+0.80 --- ",
            "2400 Metadata",
            "2400 close 1000",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn words_lie_on_the_energy_of_the_utterance() {
    let mut socket = open(&simulators(SCRIPT), "").await;
    socket.speak(&[silence(1_000), loud(1_200), silence(300)].concat()).await;
    let (_, message) = socket.next_json().await;
    let words = &message["channel"]["alternatives"][0]["words"];
    // `Hello there.` is 5 + 1 + 6 units in 1.2 s.
    let word = |word, start, end, written| {
        json!({ "word": word, "start": start, "end": end, "confidence": 0.99,
                "punctuated_word": written })
    };
    assert_eq!(
        *words,
        json!([word("hello", 1.0, 1.5, "Hello"), word("there", 1.6, 2.2, "there.")])
    );
}

#[tokio::test(start_paused = true)]
async fn every_field_of_the_reference_is_there() {
    let mut socket = open(&simulators(SCRIPT), "").await;
    socket.speak(&[loud(400), silence(300)].concat()).await;
    let (_, message) = socket.next_json().await;
    for field in ["channel_index", "duration", "start", "is_final", "speech_final", "from_finalize"]
    {
        assert!(!message[field].is_null(), "{field}");
    }
    let metadata = &message["metadata"];
    for field in ["request_id", "model_uuid"] {
        assert!(metadata[field].is_string(), "{field}");
    }
    for field in ["name", "version", "arch"] {
        assert!(metadata["model_info"][field].is_string(), "{field}");
    }
}

#[tokio::test(start_paused = true)]
async fn utterances_come_in_order_and_a_noise_has_no_words() {
    let mut socket = open(&simulators(SCRIPT), "").await;
    let burst = [loud(300), silence(400)].concat();
    let heard = hear(&mut socket, &burst.repeat(4)).await;
    let texts: Vec<_> = heard[..4].iter().map(|line| line.split_once("FS- ").unwrap().1).collect();
    assert_eq!(texts, ["Hello there.", "", "How are you?", "Hello."]);
}

#[tokio::test(start_paused = true)]
async fn a_pause_within_an_utterance_is_no_endpoint() {
    let mut socket = open(&simulators(SCRIPT), "").await;
    let audio = [loud(300), silence(280), loud(300), silence(320)].concat();
    let heard = hear(&mut socket, &audio).await;
    assert_eq!(heard[0], "1330 0.00+1.18 FS- Hello there.");
}

#[tokio::test(start_paused = true)]
async fn a_click_is_no_speech() {
    let mut socket = open(&simulators(SCRIPT), "").await;
    let heard = hear(&mut socket, &[loud(40), silence(500)].concat()).await;
    assert_eq!(heard, ["540 Metadata", "540 close 1000"]);
}

#[tokio::test(start_paused = true)]
async fn finalize_reports_what_is_pending() {
    let mut socket = open(&simulators(SCRIPT), "").await;
    socket.speak(&[loud(600), silence(200)].concat()).await;
    socket.text(r#"{"type":"Finalize"}"#).await;
    let (at, message) = socket.next_json().await;
    assert_eq!((at, brief(&message)), (950, "0.00+0.80 FSZ Hello there.".to_owned()));
    socket.text(r#"{"type":"Finalize"}"#).await;
    assert!(socket.is_silent_for(Duration::from_secs(5)).await, "there is nothing to report");
}

#[tokio::test(start_paused = true)]
async fn close_reports_what_is_pending() {
    let mut socket = open(&simulators(SCRIPT), "").await;
    let heard = hear(&mut socket, &[loud(600), silence(100)].concat()).await;
    assert_eq!(heard, ["850 0.00+0.70 F-- Hello there.", "850 Metadata", "850 close 1000"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_finalized_is_not_reported_again() {
    let mut socket = open(&simulators(SCRIPT), "").await;
    socket.speak(&[loud(1_500), silence(60)].concat()).await;
    socket.text(r#"{"type":"Finalize"}"#).await;
    socket.text(r#"{"type":"CloseStream"}"#).await;
    let heard = told(socket.rest().await);
    assert_eq!(heard, ["1710 0.00+1.56 FSZ Hello there.", "1710 Metadata", "1710 close 1000"]);
}

#[tokio::test(start_paused = true)]
async fn long_silence_is_committed_without_words() {
    let mut socket = open(&simulators(SCRIPT), "").await;
    let heard = hear(&mut socket, &silence(5_200)).await;
    assert_eq!(heard, ["5050 0.00+5.00 F-- ", "5200 Metadata", "5200 close 1000"]);
}

#[tokio::test(start_paused = true)]
async fn endpointing_false_never_ends_speech() {
    let path = QUERY.replace("endpointing=300", "endpointing=false");
    let mut socket = Socket::open(&simulators(SCRIPT), &path, &[KEY]).await.unwrap();
    let heard = hear(&mut socket, &[loud(400), silence(1_100)].concat()).await;
    assert_eq!(heard[0], "1550 0.00+1.40 F-- Hello there.");
}

#[tokio::test(start_paused = true)]
async fn long_speech_is_committed_in_parts() {
    let script = SCRIPT.replace("[deepgram]", "[deepgram]\ncommit_every_ms = 600");
    let mut socket = open(&simulators(&script), "").await;
    let heard = hear(&mut socket, &[loud(1_000), silence(300)].concat()).await;
    assert_eq!(
        heard[..3],
        ["750 0.00+0.60 F-- Hello", "1350 0.60+0.60 F-- there.", "1450 1.20+0.10 FS- "]
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_not_delivered_is_heard_again() {
    let simulators = simulators(SCRIPT);
    let burst = [loud(300), silence(300)].concat();
    let mut first = open(&simulators, "&tag=call-1").await;
    first.speak(&burst).await;
    drop(first); // before the final's delay has passed
    let mut second = open(&simulators, "&tag=call-1").await;
    second.speak(&burst).await;
    assert_eq!(brief(&second.next_json().await.1), "0.00+0.60 FS- Hello there.");
    drop(second);
    let mut third = open(&simulators, "&tag=call-1").await;
    third.speak(&burst).await;
    assert_eq!(brief(&third.next_json().await.1), "0.00+0.60 FS- ");
    let mut other = open(&simulators, "&tag=call-2").await;
    other.speak(&burst).await;
    assert_eq!(brief(&other.next_json().await.1), "0.00+0.60 FS- Hello there.");
}

#[tokio::test(start_paused = true)]
async fn mulaw_stereo_is_heard_too() {
    let path = "/v1/listen?model=nova-3&encoding=mulaw&sample_rate=8000&channels=2&endpointing=300";
    let mut socket = Socket::open(&simulators(SCRIPT), path, &[KEY]).await.unwrap();
    let loud = [0x90u8, 0x10].repeat(8 * 400);
    // The channels are in opposite phase, so that their mean is silence.
    socket.binary(loud).await;
    socket.binary([0x90u8, 0x90, 0x10, 0x10].repeat(4 * 400)).await;
    socket.binary(vec![0xff; 16 * 300]).await;
    let (at, message) = socket.next_json().await;
    assert_eq!((at, brief(&message).as_str()), (150, "0.00+1.10 FS- hello there"));
    let words = &message["channel"]["alternatives"][0]["words"];
    assert_eq!(words[0]["start"], 0.4);
    assert!(words[0].get("punctuated_word").is_none());
}

#[tokio::test(start_paused = true)]
async fn silence_on_the_wire_is_net_0001() {
    let mut socket = open(&simulators(SCRIPT), "").await;
    socket.binary(vec![0; 640]).await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    socket.text(r#"{"type":"KeepAlive"}"#).await;
    let (at, got) = socket.next().await;
    assert_eq!(at, 16_000);
    assert!(matches!(got, Got::Closed(1011, reason) if reason.contains("net0001")));
}

#[tokio::test(start_paused = true)]
async fn keep_alive_does_not_replace_the_first_audio() {
    let mut socket = open(&simulators(SCRIPT), "").await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    socket.text(r#"{"type":"KeepAlive"}"#).await;
    assert!(matches!(socket.next().await, (10_000, Got::Closed(1011, _))));
}

#[tokio::test(start_paused = true)]
async fn json_in_a_binary_frame_is_no_audio() {
    let mut socket = open(&simulators(SCRIPT), "").await;
    socket.binary(br#"{"type":"KeepAlive"}"#.to_vec()).await;
    let (_, got) = socket.next().await;
    assert!(matches!(got, Got::Closed(1008, reason) if reason.contains("DATA-0000")));
}

#[tokio::test(start_paused = true)]
async fn bad_json_is_a_schema_error_and_the_stream_goes_on() {
    let mut socket = open(&simulators(SCRIPT), "").await;
    socket.text("{\"type\":\"Finalise\"}").await;
    let (_, message) = socket.next_json().await;
    assert_eq!((&message["type"], &message["variant"]), (&json!("Error"), &json!("SchemaError")));
    assert_eq!(message["message"], "{\"type\":\"Finalise\"}");
    socket.text(r#"{"type":"CloseStream"}"#).await;
    assert_eq!(brief(&socket.next_json().await.1), "Metadata");
}

#[tokio::test(start_paused = true)]
async fn key_terms_can_be_changed() {
    let mut socket = open(&simulators(SCRIPT), "").await;
    socket.json(json!({ "type": "Configure", "keyterms": ["a", "b"] })).await;
    let (_, message) = socket.next_json().await;
    assert_eq!(message["type"], "ConfigureSuccess");
    assert_eq!(message["keyterms"], json!(["a", "b"]));
}

#[tokio::test(start_paused = true)]
async fn all_ways_to_send_a_key_are_taken() {
    let simulators = simulators(SCRIPT);
    let good = [
        ("authorization", "token key"),
        ("authorization", "bearer jwt"),
        ("sec-websocket-protocol", "token, key"),
    ];
    for header in good {
        assert!(Socket::open(&simulators, QUERY, &[header]).await.is_ok(), "{header:?}");
    }
    let bad: [&[_]; 3] = [&[], &[("authorization", "Token invalid")], &[("authorization", "key")]];
    for headers in bad {
        let (status, body) = refusal(Socket::open(&simulators, QUERY, headers).await);
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, &body["err_code"]), (401, &json!("INVALID_AUTH")));
        assert!(body["err_msg"].is_string() && body["request_id"].is_string());
    }
}

#[tokio::test(start_paused = true)]
async fn a_bad_query_is_refused_by_name() {
    let path = format!("{QUERY}&interim_results=yes");
    let (status, body) = refusal(Socket::open(&simulators(SCRIPT), &path, &[KEY]).await);
    assert_eq!(status, 400);
    assert!(body.contains("INVALID_QUERY_PARAMETER") && body.contains("interim_results"), "{body}");
}
