//! Calls over real sockets, and the line under a paused clock.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use futures_util::{FutureExt, SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async};
use tokio_util::sync::CancellationToken;

use super::line::{ClientSink, Line, Outgoing};
use super::{Answer, Busy, End, Origins, Place, Settings, route};
use crate::event::{AgentState, Event};
use crate::http::serve;
use crate::message::{AudioFrame, UserInput};
use crate::transport::{Captured, Sink, SinkGone, Transport};

/// Far more than anything takes on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(20);

type Client = WebSocketStream<TcpStream>;

/// A call for the test to run, and the way to end it.
type Call = (Transport, oneshot::Sender<End>);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn end(reason: &str) -> End {
    End { reason: reason.to_owned(), message: None, session: "c1".to_owned() }
}

/// Has a place for one call: the test itself runs it.
struct Desk {
    place: Mutex<Option<oneshot::Sender<Call>>>,
}

impl Answer for Desk {
    fn admit(&self) -> Result<Place, Busy> {
        let place = self.place.lock().unwrap().take();
        let full = Busy { reason: "all 1 places are taken".to_owned(), retry_after: ms(2_500) };
        let place = place.ok_or(full)?;
        Ok(Box::new(move |transport| {
            let (over, end) = oneshot::channel();
            place.send((transport, over)).ok().unwrap();
            async move { end.await.unwrap_or(self::end("aborted")) }.boxed()
        }))
    }
}

struct World {
    address: std::net::SocketAddr,
    stop: CancellationToken,
    call: Option<oneshot::Receiver<Call>>,
}

impl World {
    async fn new(settings: Settings) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (place, call) = oneshot::channel();
        let desk = Arc::new(Desk { place: Mutex::new(Some(place)) });
        let router = Router::new().route("/", route(desk, settings, Origins::default()));
        let stop = CancellationToken::new();
        tokio::spawn(serve(listener, router, stop.clone()));
        Self { address, stop, call: Some(call) }
    }

    async fn connect(&self, query: &str) -> Result<Client, tungstenite::Error> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        client_async(format!("ws://{}/{query}", self.address), stream).await.map(|(it, _)| it)
    }

    /// A connected client, and the call's two halves.
    async fn call(&mut self, query: &str) -> (Client, Transport, oneshot::Sender<End>) {
        let client = self.connect(query).await.unwrap();
        let call = timeout(PATIENCE, self.call.take().unwrap()).await.unwrap();
        let (transport, over) = call.unwrap();
        (client, transport, over)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn next(client: &mut Client) -> Option<Message> {
    loop {
        match timeout(PATIENCE, client.next()).await.expect("a message")? {
            Ok(Message::Ping(_) | Message::Pong(_)) => {}
            Ok(message) => return Some(message),
            Err(_) => return None,
        }
    }
}

/// The next text message.
async fn told(client: &mut Client) -> Value {
    match next(client).await.expect("a message") {
        Message::Text(text) => serde_json::from_str(&text).unwrap(),
        other => panic!("{other:?} is no text"),
    }
}

async fn say(client: &mut Client, text: &str) {
    client.send(Message::text(text)).await.unwrap();
}

async fn hear(transport: &mut Transport) -> Captured {
    timeout(PATIENCE, transport.source.next()).await.expect("a frame or the end")
}

fn voice(level: i16) -> AudioFrame {
    AudioFrame::new(vec![level; 480], 24_000.try_into().unwrap())
}

#[tokio::test]
async fn what_is_typed_and_pressed_comes_in_order_with_the_sound() {
    let mut world = World::new(Settings::default()).await;
    let (mut client, mut transport, _over) = world.call("").await;
    told(&mut client).await;
    let before = Instant::now();
    say(&mut client, r#"{"type":"text","text":"At two."}"#).await;
    client.send(Message::binary(vec![0; 640])).await.unwrap();
    say(&mut client, r#"{"type":"dtmf","digit":"x"}"#).await;
    say(&mut client, r#"{"type":"dtmf","digit":"5"}"#).await;
    say(&mut client, r#"{"type":"interrupt"}"#).await;
    let mut inputs = Vec::new();
    for _ in 0..4 {
        match hear(&mut transport).await {
            Captured::Input(input, at) => {
                assert!(before <= at && at <= Instant::now());
                inputs.push(Some(input));
            }
            Captured::Frame(..) => inputs.push(None),
            other => panic!("{other:?}"),
        }
    }
    let text = UserInput::Text("At two.".into());
    let expected = [Some(text), None, Some(UserInput::Digit('5')), Some(UserInput::Interrupt)];
    assert_eq!(inputs, expected);
    assert_eq!(told(&mut client).await["type"], "error", "the wrong key is answered");
}

#[tokio::test]
async fn a_call_is_sound_both_ways_events_and_an_end() {
    let mut world = World::new(Settings::default()).await;
    let (mut client, mut transport, over) = world.call("").await;
    let start = json!({"type": "start", "input_rate": 16_000, "output_rate": 24_000});
    assert_eq!(told(&mut client).await, start);

    let caller: Vec<u8> = (0..320_i16).flat_map(i16::to_le_bytes).collect();
    client.send(Message::binary(caller[..101].to_vec())).await.unwrap();
    client.send(Message::binary(caller[101..].to_vec())).await.unwrap();
    let Captured::Frame(frame, at) = hear(&mut transport).await else { panic!("a frame") };
    assert_eq!(frame.samples(), (0..320).collect::<Vec<i16>>());
    assert!(at <= Instant::now());

    let observer = transport.observer.take().unwrap();
    observer.on(Instant::now(), &Event::AgentState(AgentState::Speaking));
    let state = json!({"type": "state", "role": "agent", "state": "speaking"});
    assert_eq!(told(&mut client).await, state);

    let begin = transport.sink.play(&voice(-2)).await.unwrap();
    assert!(begin <= Instant::now());
    let sound = next(&mut client).await.unwrap().into_data();
    assert_eq!(sound, [254, 255].repeat(480));

    over.send(end("finished")).unwrap();
    assert_eq!(
        told(&mut client).await,
        json!({"type": "end", "reason": "finished", "session": "c1"})
    );
    assert!(matches!(next(&mut client).await, Some(Message::Close(_))));
}

#[tokio::test]
async fn rates_are_changed_at_the_border() {
    let mut world = World::new(Settings::default()).await;
    let query = "?input_rate=8000&output_rate=48000";
    let (mut client, mut transport, _over) = world.call(query).await;
    told(&mut client).await;
    client.send(Message::binary(vec![0; 8_000 / 10 * 2])).await.unwrap();
    let Captured::Frame(frame, _) = hear(&mut transport).await else { panic!("a frame") };
    assert_eq!((frame.samples().len(), frame.sample_rate_hz().get()), (320, 16_000));
    assert_eq!(transport.sink.sample_rate_hz().get(), 48_000);
    for _ in 0..3 {
        transport.sink.play(&voice(7)).await.unwrap();
    }
    let mut bytes = 0;
    for _ in 0..3 {
        bytes += next(&mut client).await.unwrap().into_data().len();
    }
    let delay = 3 * 960 * 2 - bytes;
    assert!(delay < 400, "{delay} bytes are held back");
}

#[tokio::test]
async fn what_is_not_understood_is_answered_and_the_call_goes_on() {
    let mut world = World::new(Settings::default()).await;
    let (mut client, mut transport, over) = world.call("").await;
    told(&mut client).await;
    say(&mut client, r#"{"type":"mute"}"#).await;
    let error = told(&mut client).await;
    assert_eq!(error["type"], "error");
    assert!(error["message"].as_str().unwrap().contains("unknown type \"mute\""));
    say(&mut client, r#"{"type":"hangup"}"#).await;
    assert_eq!(hear(&mut transport).await, Captured::HungUp);
    let gone = async { while transport.sink.play(&voice(0)).await.is_ok() {} };
    timeout(PATIENCE, gone).await.expect("nobody listens");
    over.send(end("hung_up")).unwrap();
    let last = loop {
        match next(&mut client).await.expect("the end") {
            Message::Text(text) => break serde_json::from_str::<Value>(&text).unwrap(),
            _ => continue,
        }
    };
    assert_eq!(last, json!({"type": "end", "reason": "hung_up", "session": "c1"}));
}

#[tokio::test]
async fn a_client_that_closes_has_hung_up() {
    let mut world = World::new(Settings::default()).await;
    let (client, mut transport, _over) = world.call("").await;
    drop(client);
    assert_eq!(hear(&mut transport).await, Captured::HungUp);
    let gone = async { while transport.sink.play(&voice(0)).await.is_ok() {} };
    timeout(PATIENCE, gone).await.expect("nobody listens");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_gone() {
    let settings = Settings { send_timeout: ms(200), ..Settings::default() };
    let mut world = World::new(settings).await;
    let (_client, mut transport, _over) = world.call("").await;
    let observer = transport.observer.take().unwrap();
    let event = Event::UserTranscript { text: "x".repeat(100_000), is_final: true };
    (0..500).for_each(|_| observer.on(Instant::now(), &event));
    assert_eq!(hear(&mut transport).await, Captured::HungUp);
}

#[tokio::test]
async fn a_client_that_answers_no_ping_is_gone() {
    let settings = Settings { idle_timeout: ms(100), ..Settings::default() };
    let mut world = World::new(settings).await;
    let (_client, mut transport, _over) = world.call("").await;
    assert_eq!(hear(&mut transport).await, Captured::HungUp);
}

#[tokio::test]
async fn who_cannot_be_served_is_told_before_the_upgrade() {
    let world = World::new(Settings::default()).await;
    let refused = async |query| match world.connect(query).await {
        Err(tungstenite::Error::Http(response)) => {
            let retry = response.headers().get("retry-after").map(|it| it.to_str().unwrap());
            let body = response.body().as_deref().unwrap_or_default();
            let body = String::from_utf8(body.to_vec()).unwrap();
            (response.status().as_u16(), retry.map(str::to_owned), body)
        }
        other => panic!("{other:?} is no refusal"),
    };
    let (status, _, text) = refused("?input_rate=1").await;
    assert_eq!(status, 400);
    assert!(text.contains("write whole Hz from 8000 to 48000"), "{text:?}");
    let _taken = world.connect("").await.unwrap();
    let (status, retry, text) = refused("").await;
    assert_eq!((status, retry.as_deref()), (503, Some("2")));
    assert_eq!(text, "all 1 places are taken\n");
}

fn line() -> (Arc<Line>, ClientSink) {
    let line = Arc::new(Line::new(Settings::default()));
    let sink = ClientSink::new(Arc::clone(&line), 24_000.try_into().unwrap());
    (line, sink)
}

/// Takes all that waits to be sent.
fn sent(line: &Line) -> Vec<Outgoing> {
    std::iter::from_fn(|| line.next().now_or_never().flatten()).collect()
}

#[tokio::test(start_paused = true)]
async fn sound_is_sent_no_further_ahead_than_the_lead() {
    let (line, mut sink) = line();
    let start = Instant::now();
    for k in 0..30 {
        assert_eq!(sink.play(&voice(1)).await.unwrap() - start, ms(20) * k);
        assert_eq!(sent(&line).len(), 1);
    }
    assert_eq!(start.elapsed(), ms(29 * 20 - 200));
}

#[tokio::test(start_paused = true)]
async fn a_clear_drops_what_waits_and_is_told() {
    let (line, mut sink) = line();
    for _ in 0..5 {
        sink.play(&voice(1)).await.unwrap();
    }
    sink.clear();
    sink.clear();
    let begin = sink.play(&voice(2)).await.unwrap();
    assert_eq!(begin, Instant::now());
    let sent = sent(&line);
    let [Outgoing::Text(clear), Outgoing::Sound(..)] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(clear, r#"{"type":"clear","id":1}"#);
}

#[tokio::test(start_paused = true)]
async fn a_report_of_the_client_lets_the_sink_go_on() {
    let (line, mut sink) = line();
    for _ in 0..11 {
        sink.play(&voice(1)).await.unwrap();
        sent(&line);
    }
    let start = Instant::now();
    let frame = voice(1);
    let (begin, ()) = tokio::join!(sink.play(&frame), async { line.report(ms(40), 0) });
    assert_eq!((begin.unwrap() - start, start.elapsed()), (ms(180), ms(0)));
}

#[tokio::test(start_paused = true)]
async fn a_client_whose_socket_takes_nothing_is_gone() {
    let (line, mut sink) = line();
    let start = Instant::now();
    let refused = loop {
        if let Err(refused) = sink.play(&voice(1)).await {
            break refused;
        }
    };
    assert_eq!(refused, SinkGone);
    assert!(line.lost.is_cancelled());
    assert!(start.elapsed() < ms(6_000), "{:?}", start.elapsed());
}
