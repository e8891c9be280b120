//! One caller: asks, hears the answer out, asks on, hangs up.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, interval, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::conversation::{Conversation, Tale};

/// Sound is sent in frames of this length, as a browser or a gateway does.
const FRAME: Duration = Duration::from_millis(20);

/// Samples in a frame at 16 kHz.
const FRAME_SAMPLES: usize = 320;

/// Frames between two reports of the playing.
const REPORT_EVERY: u32 = 10;

/// How long connecting may take, and how long the server's last word after a hang-up.
const LIMIT: Duration = Duration::from_secs(10);

type Socket = WebSocketStream<TcpStream>;

/// A question: what it is understood as, and its sound as frames of s16le.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) text: String,
    pub(crate) frames: Vec<Vec<u8>>,
}

impl Question {
    /// The question that `samples` at 16 kHz are.
    pub(crate) fn new(text: &str, samples: &[i16]) -> Self {
        let bytes = |frame: &[i16]| {
            let mut bytes: Vec<u8> = frame.iter().flat_map(|sample| sample.to_le_bytes()).collect();
            bytes.resize(2 * FRAME_SAMPLES, 0);
            bytes
        };
        let frames = samples.chunks(FRAME_SAMPLES).map(bytes).collect();
        Self { text: text.to_owned(), frames }
    }
}

/// Carries one call to the server at `at`: questions begin until `until`, each `pause` after the
/// answer before.
pub(crate) async fn call(
    at: String,
    questions: Arc<[Question]>,
    pause: Duration,
    until: Instant,
) -> Tale {
    let mut conversation = Conversation::new(questions, pause, until);
    if let Err(error) = converse(&at, &mut conversation).await {
        conversation.complain(format!("{error:#}"));
    }
    conversation.into_tale()
}

async fn converse(at: &str, conversation: &mut Conversation) -> anyhow::Result<()> {
    let mut socket = timeout(LIMIT, connect(at)).await.context("no connection in time")??;
    let mut tick = interval(FRAME);
    let mut frames = 0u32;
    while !conversation.is_over() {
        tokio::select! {
            biased;
            message = socket.next() => {
                let message = message.context("the server is gone")??;
                conversation.hear(&message, Instant::now());
            }
            _ = tick.tick() => {
                let frame = conversation.tick(Instant::now());
                socket.send(Message::binary(frame)).await?;
                frames += 1;
                if frames.is_multiple_of(REPORT_EVERY) {
                    socket.send(Message::text(conversation.playout(Instant::now()))).await?;
                }
            }
        }
    }
    timeout(LIMIT, hang_up(&mut socket, conversation)).await.context("no end after a hang-up")?
}

async fn connect(at: &str) -> anyhow::Result<Socket> {
    let stream = TcpStream::connect(at).await?;
    stream.set_nodelay(true)?;
    Ok(client_async(format!("ws://{at}/call"), stream).await?.0)
}

/// Says goodbye and waits for the server's.
async fn hang_up(socket: &mut Socket, conversation: &mut Conversation) -> anyhow::Result<()> {
    socket.send(Message::text(r#"{"type":"hangup"}"#)).await?;
    while let Some(message) = socket.next().await {
        conversation.hear(&message?, Instant::now());
    }
    Ok(())
}

/// A frame in which nobody speaks.
pub(crate) fn silence() -> Vec<u8> {
    vec![0; 2 * FRAME_SAMPLES]
}
