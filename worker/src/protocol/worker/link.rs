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
pub(super) enum LinkEvent {
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
    /// Waits for what happens next. Cancelling loses nothing. Whoever gets [`LinkEvent::Retry`] or
    /// [`LinkEvent::Opened`] must replace the link.
    pub(super) async fn next(&mut self) -> LinkEvent {
        match self {
            Self::Waiting(until) => {
                sleep_until(*until).await;
                LinkEvent::Retry
            }
            Self::Opening(opening) => LinkEvent::Opened(opening.await),
            Self::Up(socket) => match socket.next().await {
                Ok(Frame::Message(message)) => LinkEvent::Message(message),
                Ok(Frame::Undecodable(length)) => LinkEvent::Undecodable(length),
                Err(lost) => LinkEvent::Lost(lost),
            },
        }
    }
}
