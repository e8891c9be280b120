//! One websocket: carries messages between the client and a [`Peer`], each exactly when it is due,
//! and does to them what the script's faults say.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use crate::fault::{Damage, Verdict};
use crate::log::{Direction, Tap};

/// A client that does not take a message for this long is gone.
const SEND_LIMIT: Duration = Duration::from_secs(60);
/// A client that does not answer a close frame for this long is gone.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);
/// A stalled connection is dropped after this long.
const STALL_LIMIT: Duration = Duration::from_secs(600);
/// What the fault `malformed` sends: JSON that breaks off.
const BROKEN: &str = "{\"type\":\"Results\",\"channel\":{\"alternatives\":[";

/// A provider's side of one websocket: a pure state, told what came in and asked what is due.
pub(crate) trait Peer: Send {
    /// The client's own name for the call, for the log; empty if it has none.
    fn id(&self) -> &str;
    /// Whether it can take another message now; false only while something is due.
    fn accepts(&self) -> bool;
    /// Takes a text message and says what it was, for the log.
    fn text(&mut self, text: &str, now: Instant) -> &'static str;
    /// Takes a binary message and says what it was.
    fn binary(&mut self, bytes: &[u8], now: Instant) -> &'static str;
    /// When there is something to send next.
    fn due(&self) -> Option<Instant>;
    /// The next message that is due at `now`.
    fn next(&mut self, now: Instant) -> Option<Outgoing>;
    /// Learns that a message with this receipt has been written.
    fn sent(&mut self, receipt: usize);
}

/// What a peer sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outgoing {
    /// A JSON message.
    Text {
        /// The message.
        text: String,
        /// Its kind, for the log.
        what: &'static str,
        /// Given back by [`Peer::sent`] once it is written.
        receipt: Option<usize>,
    },
    /// The end.
    Close(u16, String),
}

/// Why a websocket is over.
enum End {
    /// The client ended it, or is gone, or the script cuts it.
    Gone,
    /// This side ends it.
    Close(u16, String),
    /// The script stalls it.
    Stall,
}

/// Talks until either side ends it.
pub(super) async fn drive<Io>(
    mut socket: WebSocketStream<Io>,
    mut peer: Box<dyn Peer>,
    mut damage: Damage,
    tap: &Tap,
) where
    Io: AsyncRead + AsyncWrite + Unpin,
{
    match talk(&mut socket, peer.as_mut(), &mut damage, tap).await {
        End::Gone => {}
        End::Close(code, reason) => close(&mut socket, code, &reason).await,
        End::Stall => drain(&mut socket, STALL_LIMIT).await,
    }
    tap.record(Direction::Out, peer.id(), "end", 0);
}

async fn talk<Io>(
    socket: &mut WebSocketStream<Io>,
    peer: &mut dyn Peer,
    damage: &mut Damage,
    tap: &Tap,
) -> End
where
    Io: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        let flow = tokio::select! {
            biased;
            () = until(damage.ends_at()) => fault(damage.reached(Instant::now())),
            () = until(peer.due()) => send_due(socket, peer, damage, tap).await,
            frame = socket.next(), if peer.accepts() => take(peer, frame, tap),
        };
        if let Err(end) = flow {
            return end;
        }
    }
}

/// Gives a frame of the client to the peer.
fn take<E>(peer: &mut dyn Peer, frame: Option<Result<Message, E>>, tap: &Tap) -> Result<(), End> {
    let now = Instant::now();
    let (what, bytes) = match frame {
        Some(Ok(Message::Text(text))) => (peer.text(&text, now), text.len()),
        Some(Ok(Message::Binary(bytes))) => (peer.binary(&bytes, now), bytes.len()),
        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => return Ok(()),
        Some(Ok(Message::Close(_)) | Err(_)) | None => ("close", 0),
    };
    tap.record(Direction::In, peer.id(), what, bytes);
    if what == "close" { Err(End::Gone) } else { Ok(()) }
}

/// Sends all that is due now.
async fn send_due<Io>(
    socket: &mut WebSocketStream<Io>,
    peer: &mut dyn Peer,
    damage: &mut Damage,
    tap: &Tap,
) -> Result<(), End>
where
    Io: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(outgoing) = peer.next(Instant::now()) {
        match damage.verdict(Instant::now()) {
            Verdict::Send => {}
            Verdict::Garble => send(socket, BROKEN.to_owned()).await?,
            other => fault(other)?,
        }
        match outgoing {
            Outgoing::Close(code, reason) => return Err(End::Close(code, reason)),
            Outgoing::Text { text, what, receipt } => {
                tap.record(Direction::Out, peer.id(), what, text.len());
                send(socket, text).await?;
                receipt.into_iter().for_each(|receipt| peer.sent(receipt));
            }
        }
    }
    Ok(())
}

/// How a fault ends the talk, if it does.
fn fault(verdict: Verdict) -> Result<(), End> {
    match verdict {
        Verdict::Send | Verdict::Garble => Ok(()),
        Verdict::Stall => Err(End::Stall),
        Verdict::Cut => Err(End::Gone),
        Verdict::Close(code, reason) => Err(End::Close(code, reason)),
    }
}

async fn send<Io>(socket: &mut WebSocketStream<Io>, text: String) -> Result<(), End>
where
    Io: AsyncRead + AsyncWrite + Unpin,
{
    match timeout(SEND_LIMIT, socket.send(Message::text(text))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(End::Gone),
    }
}

/// Sends a close frame and waits for the client's.
async fn close<Io>(socket: &mut WebSocketStream<Io>, code: u16, reason: &str)
where
    Io: AsyncRead + AsyncWrite + Unpin,
{
    let frame = CloseFrame { code: code.into(), reason: Utf8Bytes::from(reason) };
    if let Ok(Ok(())) = timeout(CLOSE_LIMIT, socket.close(Some(frame))).await {
        drain(socket, CLOSE_LIMIT).await;
    }
}

/// Reads and forgets until the client is gone, at most for `limit`.
async fn drain<Io>(socket: &mut WebSocketStream<Io>, limit: Duration)
where
    Io: AsyncRead + AsyncWrite + Unpin,
{
    let gone = async { while let Some(Ok(_)) = socket.next().await {} };
    if timeout(limit, gone).await.is_err() {
        tracing::debug!("client did not go");
    }
}

/// Waits until `due`, for ever if there is nothing due.
pub(super) async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
