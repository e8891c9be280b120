//! The connection and the pauses between two of them.

use futures_util::future::BoxFuture;
use livekit_protocol::server_message::Message as FromServer;
use tokio::time::{Instant, sleep_until};

use crate::protocol::socket::{Frame, Lost, OpenError, Socket};

/// Where the worker is on its way to its server.
pub(super) enum Link {
    /// It waits before it tries again.
    Waiting(Instant),
    /// It connects.
    Opening(BoxFuture<'static, Result<Box<Socket>, OpenError>>),
    /// It is connected.
    Up(Box<Socket>),
}

/// What happens to a link.
pub(super) enum Event {
    /// It is time to try again.
    Retry,
    /// The attempt is over.
    Opened(Result<Box<Socket>, OpenError>),
    /// A message came.
    Message(Box<FromServer>),
    /// A frame came that is none, of this length.
    Undecodable(usize),
    /// The connection is lost.
    Lost(Lost),
}

impl Link {
    /// Waits for what happens next. Cancelling loses nothing. Whoever gets [`Event::Retry`] or
    /// [`Event::Opened`] must replace the link.
    pub(super) async fn next(&mut self) -> Event {
        match self {
            Self::Waiting(until) => {
                sleep_until(*until).await;
                Event::Retry
            }
            Self::Opening(opening) => Event::Opened(opening.await),
            Self::Up(socket) => match socket.next().await {
                Ok(Frame::Message(message)) => Event::Message(message),
                Ok(Frame::Undecodable(length)) => Event::Undecodable(length),
                Err(lost) => Event::Lost(lost),
            },
        }
    }
}
