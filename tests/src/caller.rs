//! A caller over the websocket transport: sends sound at the pace of speech, hears, and takes
//! notes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

/// How long whatever is waited for may take: longer than the longest answer of the demo.
const WAIT_LIMIT: Duration = Duration::from_secs(30);

/// What is sent in one message.
const FRAME: Duration = Duration::from_millis(20);

/// Samples in a frame at 16 kHz.
const FRAME_SAMPLES: usize = 320;

type Socket = WebSocketStream<TcpStream>;

/// What came from the other side, and when.
#[derive(Clone, Debug)]
pub struct Came {
    /// When it was read.
    pub at: Instant,
    /// What it is.
    pub what: What,
}

/// What comes from the other side.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// An event.
    Event(Value),
    /// So many bytes of sound.
    Sound(usize),
    /// The other side closed in order, with this code.
    Closed(Option<u16>),
}

/// A call. Dropping it breaks the connection without a word.
pub struct Caller {
    socket: SplitStream<Socket>,
    mouth: Arc<Mutex<Mouth>>,
    speaking: JoinHandle<()>,
    /// All that came so far, in order.
    pub notes: Vec<Came>,
}

/// What is to be said.
#[derive(Default)]
struct Mouth {
    samples: VecDeque<i16>,
    /// When the first of what was said last was sent.
    began: Option<Instant>,
    texts: VecDeque<String>,
}

impl Caller {
    /// Calls `ws://{authority}/call{query}` and begins to send: silence, until there is something
    /// to say.
    ///
    /// # Errors
    /// Where the call is refused.
    pub async fn call(authority: &str, query: &str) -> Result<Self, Error> {
        Self::dial(format!("ws://{authority}/call{query}").into_client_request()?, authority).await
    }

    /// The same as somebody whom the proxy in front knows.
    ///
    /// # Errors
    /// Where the call is refused.
    pub async fn call_as(authority: &str, who: &str) -> Result<Self, Error> {
        let mut request = format!("ws://{authority}/call").into_client_request()?;
        request.headers_mut().insert("voicegraph-caller", HeaderValue::from_str(who)?);
        Self::dial(request, authority).await
    }

    async fn dial(request: Request, authority: &str) -> Result<Self, Error> {
        let stream = TcpStream::connect(authority).await?;
        stream.set_nodelay(true)?;
        let (socket, _) = client_async(request, stream).await?;
        let (sink, socket) = socket.split();
        let mouth = Arc::default();
        let speaking = tokio::spawn(speak(sink, Arc::clone(&mouth)));
        Ok(Self { socket, mouth, speaking, notes: Vec::new() })
    }

    /// Says `samples`, i16 at 16 kHz, after what is being said.
    pub fn say(&self, samples: &[i16]) {
        let mut mouth = self.lock();
        mouth.began = None;
        mouth.samples.extend(samples);
    }

    /// When the first frame of what was said last was sent.
    ///
    /// # Panics
    /// Where it was not yet.
    pub fn began(&self) -> Instant {
        self.lock().began.expect("it was answered, so it was sent")
    }

    /// Sends a text message.
    pub fn send(&self, text: &str) {
        self.lock().texts.push_back(text.to_owned());
    }

    /// What comes next.
    ///
    /// # Panics
    /// Where nothing does in time, or the connection breaks.
    pub async fn next(&mut self) -> Came {
        let message = timeout(WAIT_LIMIT, self.message()).await;
        let message = message.unwrap_or_else(|_| panic!("nothing more after {}", self.story()));
        let what = match message {
            Some(Ok(Message::Text(text))) => {
                What::Event(serde_json::from_str(&text).expect("events are JSON"))
            }
            Some(Ok(Message::Binary(bytes))) => What::Sound(bytes.len()),
            Some(Ok(Message::Close(frame))) => What::Closed(frame.map(|frame| frame.code.into())),
            other => panic!("the call broke off with {other:?} after {}", self.story()),
        };
        let came = Came { at: Instant::now(), what };
        self.notes.push(came.clone());
        came
    }

    /// The next message that says something.
    async fn message(&mut self) -> Option<Result<Message, Error>> {
        loop {
            let message = self.socket.next().await;
            if !matches!(message, Some(Ok(Message::Ping(_) | Message::Pong(_)))) {
                return message;
            }
        }
    }

    /// The first event from now on that `is` what is waited for.
    ///
    /// # Panics
    /// Where it does not come in time.
    pub async fn event(&mut self, what: &str, is: impl Fn(&Value) -> bool) -> (Instant, Value) {
        let deadline = Instant::now() + WAIT_LIMIT;
        while Instant::now() < deadline {
            match self.next().await {
                Came { at, what: What::Event(event) } if is(&event) => return (at, event),
                Came { what: What::Closed(_), .. } => break,
                _ => {}
            }
        }
        panic!("no {what} in {}", self.story())
    }

    /// The first event of type `kind` from now on.
    ///
    /// # Panics
    /// Where it does not come in time.
    pub async fn event_of(&mut self, kind: &str) -> (Instant, Value) {
        self.event(kind, |event| event["type"] == kind).await
    }

    /// Listens until the other side closes, and gives the close code.
    ///
    /// # Panics
    /// Where it does not in time.
    pub async fn closed(&mut self) -> Option<u16> {
        let deadline = Instant::now() + WAIT_LIMIT;
        while Instant::now() < deadline {
            if let What::Closed(code) = self.next().await.what {
                return code;
            }
        }
        panic!("the other side does not close")
    }

    /// The events so far, a line each.
    fn story(&self) -> String {
        let event = |came: &Came| match &came.what {
            What::Sound(_) => None,
            other => Some(format!("\n  {other:?}")),
        };
        self.notes.iter().filter_map(event).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Mouth> {
        self.mouth.lock().expect("no panic holds this lock")
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.speaking.abort();
    }
}

/// Sends a frame every 20 ms until nobody takes it.
async fn speak(mut sink: SplitSink<Socket, Message>, mouth: Arc<Mutex<Mouth>>) {
    let mut clock = interval(FRAME);
    clock.set_missed_tick_behavior(MissedTickBehavior::Burst);
    loop {
        clock.tick().await;
        let (frame, text) = next_words(&mut mouth.lock().expect("no panic holds this lock"));
        let text = text.map(Message::text);
        for message in std::iter::once(Message::binary(frame)).chain(text) {
            if sink.send(message).await.is_err() {
                return;
            }
        }
    }
}

/// The next frame, and the next text if there is one.
fn next_words(mouth: &mut Mouth) -> (Vec<u8>, Option<String>) {
    if !mouth.samples.is_empty() {
        mouth.began.get_or_insert_with(Instant::now);
    }
    let said = mouth.samples.len().min(FRAME_SAMPLES);
    let frame = mouth.samples.drain(..said).chain(std::iter::repeat_n(0, FRAME_SAMPLES - said));
    (frame.flat_map(i16::to_le_bytes).collect(), mouth.texts.pop_front())
}
