//! A call with the node in it, and the provider's end of its websocket.

#![expect(clippy::result_large_err, reason = "the upgrade's callback has tungstenite's types")]

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_util::sync::CancellationToken;
use voicegraph_engine::connect::{Connector, Dial, Io, Roots};
use voicegraph_engine::edge::{EdgeMeter, Input, Limit, Output, Overflow, edge};
use voicegraph_engine::event::{Event, Observer, Observers};
use voicegraph_engine::message::{AudioFrame, Envelope, TextDelta};
use voicegraph_engine::metrics::NodeMeter;
use voicegraph_engine::node::{Context, Kind, NodeError, Ports};
use voicegraph_engine::turn::{Anchor, Beginning, Turn, TurnControl, TurnId, TurnReport};

use crate::cartesia_tts::{CartesiaTts, Options};

/// No wait in these tests is longer, in virtual time.
const LIMIT: Duration = Duration::from_secs(100);

/// The samples of a frame at 8 kHz, the rate of these tests.
pub(super) const FRAME: usize = 160;

/// A call in which the node is the only stage.
pub(super) struct Call {
    pub(super) text: Output<TextDelta>,
    pub(super) audio: Input<AudioFrame>,
    pub(super) control: TurnControl,
    pub(super) cancelled: CancellationToken,
    pub(super) meter: Arc<NodeMeter>,
    dials: mpsc::Receiver<DuplexStream>,
    node: JoinHandle<Result<(), NodeError>>,
    events: Arc<Events>,
}

#[derive(Default)]
struct Events(Mutex<Vec<Event>>);

impl Observer for Events {
    fn on(&self, _: Instant, event: &Event) {
        self.0.lock().expect("no panic").push(event.clone());
    }
}

/// Hands the other end of each stream to the test.
struct Dialled(mpsc::Sender<DuplexStream>);

#[async_trait]
impl Dial for Dialled {
    async fn dial(&self) -> io::Result<Box<dyn Io>> {
        let (near, far) = tokio::io::duplex(1 << 14);
        let gone = |_| io::Error::from(io::ErrorKind::ConnectionRefused);
        self.0.send(far).await.map_err(gone)?;
        Ok(Box::new(near))
    }
}

impl Call {
    /// A call with default options at 8 kHz.
    pub(super) fn new() -> Self {
        Self::with(json!({}))
    }

    /// A call with `more` options.
    pub(super) fn with(more: Value) -> Self {
        let mut options = json!({
            "api_key": "secret-key", "voice": "v", "base_url": "sim://cartesia",
            "sample_rate_hz": 8000,
        });
        let table = options.as_object_mut().expect("a table");
        if let Value::Object(more) = more {
            table.extend(more);
        }
        Self::start(serde_json::from_value(options).expect("options"))
    }

    fn start(options: Options) -> Self {
        let (dialled, dials) = mpsc::channel(8);
        let events = Arc::new(Events::default());
        let observers = Observers::new(vec![Arc::clone(&events) as Arc<dyn Observer>]);
        let dial: Arc<dyn Dial> = Arc::new(Dialled(dialled));
        let simulators = BTreeMap::from([("cartesia".to_owned(), dial)]);
        let connector = Connector::new(&Roots::Mozilla).with_simulators(simulators);
        let ctx = Context::for_test(connector, observers.clone());
        let (cancelled, meter) = (ctx.cancelled.clone(), Arc::clone(&ctx.meter));
        let control = TurnControl::new(cancelled.clone(), observers);
        let meter_of = |name: &str, limit| EdgeMeter::new(name, limit, Overflow::Block);
        let (text, input) =
            edge(&meter_of("llm.text -> tts.text", Limit::count(256)), cancelled.clone());
        let (output, audio) =
            edge(&meter_of("tts.audio -> speaker.audio", Limit::millis(200)), cancelled.clone());
        let mut ports = Ports::default();
        ports.add_input("text", input);
        ports.add_output("audio", output);
        let factory = CartesiaTts::build(options, "dev").expect("good options");
        let node = tokio::spawn(factory.create().run(ports, ctx));
        Self { text, audio, control, cancelled, meter, dials, node, events }
    }

    /// Begins a turn.
    pub(super) fn begin(&mut self) -> Turn {
        let now = Instant::now();
        let text = String::new();
        let anchor = Anchor::Vad;
        let beginning = Beginning { text, origin: now, anchor, transcript: None, settled: now };
        self.control.begin(&beginning)
    }

    /// Sends a piece of the turn's text.
    pub(super) async fn write(&mut self, turn: &Turn, text: &str) {
        let delta = Envelope::turn(turn, TextDelta { text: text.to_owned() });
        self.text.send(delta).await.expect("the node reads");
    }

    /// Sends the last piece of the turn's text.
    pub(super) async fn write_last(&mut self, turn: &Turn, text: &str) {
        let delta = Envelope::turn(turn, TextDelta { text: text.to_owned() }).last();
        self.text.send(delta).await.expect("the node reads");
    }

    /// The provider's end of the next connection, upgraded.
    pub(super) async fn accept(&mut self) -> End {
        self.answer(|_, response| Ok(response)).await.expect("upgraded")
    }

    /// Refuses the next connection's upgrade.
    pub(super) async fn refuse(&mut self, status: u16, body: &str) {
        let body = body.to_owned();
        let refused = self.answer(move |_, _| Err(refusal(status, body))).await;
        assert!(refused.is_none());
    }

    pub(super) async fn answer(
        &mut self,
        answer: impl FnOnce(&Request, Response) -> Result<Response, ErrorResponse> + Unpin,
    ) -> Option<End> {
        let stream = self.stream().await;
        let upgraded = tokio_tungstenite::accept_hdr_async(stream, answer).await;
        upgraded.ok().map(End::new)
    }

    /// The next connection, not upgraded.
    pub(super) async fn stream(&mut self) -> DuplexStream {
        timeout(LIMIT, self.dials.recv()).await.expect("a connection").expect("a node")
    }

    /// The next frame.
    pub(super) async fn frame(&mut self) -> Envelope<AudioFrame> {
        timeout(LIMIT, self.audio.recv()).await.expect("in time").expect("a frame")
    }

    /// The samples of the turn's frames up to the last.
    pub(super) async fn sound(&mut self) -> Vec<i16> {
        let mut samples = Vec::new();
        loop {
            let frame = self.frame().await;
            samples.extend_from_slice(frame.body.samples());
            if frame.last {
                return samples;
            }
            assert_eq!(frame.body.samples().len(), FRAME, "only the last frame is short");
        }
    }

    /// The failures that were told so far.
    pub(super) fn faults(&self) -> Vec<String> {
        let events = self.events.0.lock().expect("no panic");
        let fault = |event: &Event| match event {
            Event::Fault { what, .. } => Some(what.clone()),
            _ => None,
        };
        events.iter().filter_map(fault).collect()
    }

    /// The report of a turn that ended.
    pub(super) fn report(&self, turn: TurnId) -> TurnReport {
        let events = self.events.0.lock().expect("no panic");
        let report = |event: &Event| match event {
            Event::TurnEnded { report, .. } if report.turn == turn => Some(report.clone()),
            _ => None,
        };
        events.iter().find_map(report).expect("a report")
    }

    /// Ends the text: no more turn can come.
    pub(super) fn close_text(&mut self) {
        self.text = Output::unconnected();
    }

    /// How the node ended.
    pub(super) async fn ended(self) -> Result<(), NodeError> {
        let Self { node, text, .. } = self;
        drop(text);
        timeout(LIMIT, node).await.expect("in time").expect("no panic")
    }

    /// How the node ended, while its input is open.
    pub(super) async fn failed(&mut self) -> String {
        let ended = timeout(LIMIT, &mut self.node).await.expect("in time").expect("no panic");
        ended.expect_err("an error").to_string()
    }
}

fn refusal(status: u16, body: String) -> ErrorResponse {
    let mut response = ErrorResponse::new(Some(body));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    response
}

/// The provider's end of a websocket.
pub(super) struct End {
    socket: WebSocketStream<DuplexStream>,
}

impl End {
    pub(super) fn new(socket: WebSocketStream<DuplexStream>) -> Self {
        Self { socket }
    }

    /// The next message of the node.
    pub(super) async fn heard(&mut self) -> Value {
        let message = timeout(LIMIT, self.socket.next()).await.expect("in time");
        let message = message.expect("a connection").expect("a message");
        serde_json::from_str(message.to_text().expect("text")).expect("JSON")
    }

    /// The next message, which must be text to be spoken: context, transcript, `continue`.
    pub(super) async fn asked(&mut self) -> (String, String, bool) {
        let message = self.heard().await;
        let text = |field: &str| message[field].as_str().expect("a string").to_owned();
        let more = message["continue"].as_bool().expect("a flag");
        (text("context_id"), text("transcript"), more)
    }

    /// Reads text up to the end of its context; gives the context and the whole text.
    pub(super) async fn asked_all(&mut self) -> (String, String) {
        let (context, mut whole, mut more) = self.asked().await;
        while more {
            let (same, transcript, goes_on) = self.asked().await;
            assert_eq!(same, context);
            whole.push_str(&transcript);
            more = goes_on;
        }
        (context, whole)
    }

    pub(super) async fn say(&mut self, message: Value) {
        self.say_text(&message.to_string()).await;
    }

    pub(super) async fn say_text(&mut self, message: &str) {
        self.socket.send(Message::text(message)).await.expect("the node reads");
    }

    /// Says sound: these samples.
    pub(super) async fn chunk(&mut self, context: &str, samples: impl IntoIterator<Item = i16>) {
        let bytes: Vec<u8> = samples.into_iter().flat_map(i16::to_le_bytes).collect();
        self.bytes(context, &bytes).await;
    }

    /// Says sound: these bytes.
    pub(super) async fn bytes(&mut self, context: &str, bytes: &[u8]) {
        self.say(json!({"type": "chunk", "data": STANDARD.encode(bytes), "done": false,
            "status_code": 206, "step_time": 12.3, "context_id": context}))
            .await;
    }

    /// Says words with their times in seconds.
    pub(super) async fn words(&mut self, context: &str, words: &[(&str, f64, f64)]) {
        let texts: Vec<&str> = words.iter().map(|word| word.0).collect();
        let starts: Vec<f64> = words.iter().map(|word| word.1).collect();
        let ends: Vec<f64> = words.iter().map(|word| word.2).collect();
        self.say(json!({"type": "timestamps", "done": false, "status_code": 206,
            "context_id": context,
            "word_timestamps": {"words": texts, "start": starts, "end": ends}}))
            .await;
    }

    pub(super) async fn done(&mut self, context: &str) {
        self.say(json!({"type": "done", "done": true, "status_code": 206, "context_id": context}))
            .await;
    }

    /// Waits until the node has left: what it says before is given.
    pub(super) async fn left(&mut self) -> Vec<String> {
        let mut said = Vec::new();
        while let Some(Ok(message)) = timeout(LIMIT, self.socket.next()).await.expect("in time") {
            said.extend(message.to_text().ok().map(str::to_owned).filter(|_| message.is_text()));
        }
        said
    }

    /// Closes with a close frame.
    pub(super) async fn close(mut self) {
        self.socket.close(None).await.expect("the node reads");
    }
}
