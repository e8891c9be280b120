//! The websocket below the protocol: opened with a fresh token, binary frames in and out.
//!
//! A worker that sends binary frames gets binary frames. Text, which is the same protocol as JSON,
//! never comes, and counts as undecodable.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use livekit_protocol as proto;
use prost::Message as _;
use proto::server_message::Message as FromServer;
use proto::worker_message::Message as ToServer;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::AUTHORIZATION;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use url::form_urlencoded::byte_serialize;
use voicegraph_engine::connect::{ConnectError, Connector, Io};

use super::settings::Settings;
use super::token::TokenError;

/// The agent protocol's version.
pub(super) const PROTOCOL: u32 = 1;

/// The largest message that a server may send. A job carries its room and the dispatch's metadata,
/// which are a few KiB.
const MAX_MESSAGE_BYTES: usize = 4 << 20;

/// The most of a refusal's body that is repeated in an error.
const MAX_DETAIL_CHARS: usize = 200;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenError {
    /// There is no token for it.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The network said no.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// Key, secret or grant do not fit.
    #[error("the server does not accept the key and secret (401: {0})")]
    Unauthorized(String),
    /// It is no LiveKit server, or not at this path.
    #[error("the server refuses workers at this URL ({status}: {detail})")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The beginning of what it says.
        detail: String,
    },
    /// What came is no websocket.
    #[error("the upgrade failed: {0}")]
    Upgrade(String),
    /// It took too long.
    #[error("no upgrade within {} ms", .0.as_millis())]
    TimedOut(Duration),
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum Lost {
    /// The server closed it, with a code where it said one.
    #[error("the server closed the connection ({0:?})")]
    Closed(Option<u16>),
    /// The network did.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// The server takes nothing.
    #[error("the server reads nothing for {} ms", .0.as_millis())]
    Stuck(Duration),
}

/// What came.
#[derive(Debug)]
pub(crate) enum Frame {
    /// A message.
    Message(Box<FromServer>),
    /// Something that is none, and how long it was.
    Undecodable(usize),
}

/// An open connection.
pub(super) struct Socket {
    stream: WebSocketStream<Box<dyn Io>>,
    write_limit: Duration,
}

impl Socket {
    /// Opens a connection.
    pub(super) async fn open(connector: Connector, settings: Settings) -> Result<Self, OpenError> {
        let limit = settings.timing.open_limit;
        let request = request(&settings)?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_MESSAGE_BYTES))
            .max_frame_size(Some(MAX_MESSAGE_BYTES));
        let opening = async {
            let stream = connector.connect(settings.server.endpoint(), limit).await?;
            let opened =
                tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await;
            opened.map(|(stream, _)| stream).map_err(refusal)
        };
        let opened = timeout(limit, opening).await;
        let stream = opened.map_err(|_| OpenError::TimedOut(limit))??;
        Ok(Self { stream, write_limit: settings.timing.write_limit })
    }

    /// The next frame. Pings are answered on the way. Cancelling loses nothing.
    pub(super) async fn next(&mut self) -> Result<Frame, Lost> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Binary(bytes))) => return Ok(decode(&bytes)),
                Some(Ok(Message::Text(text))) => return Ok(Frame::Undecodable(text.len())),
                Some(Ok(Message::Close(frame))) => {
                    return Err(Lost::Closed(frame.map(|frame| frame.code.into())));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(broken(error)),
                None => return Err(Lost::Closed(None)),
            }
        }
    }

    /// Sends a message.
    pub(super) async fn send(&mut self, message: ToServer) -> Result<(), Lost> {
        let message = proto::WorkerMessage { message: Some(message) };
        let frame = Message::Binary(Bytes::from(message.encode_to_vec()));
        match timeout(self.write_limit, self.stream.send(frame)).await {
            Ok(sent) => sent.map_err(broken),
            Err(_) => Err(Lost::Stuck(self.write_limit)),
        }
    }

    /// Says goodbye.
    pub(super) async fn close(mut self) {
        let frame = CloseFrame { code: 1000.into(), reason: "the worker ends".into() };
        let closed = timeout(self.write_limit, self.stream.close(Some(frame))).await;
        if !matches!(closed, Ok(Ok(()))) {
            tracing::debug!("the server did not hear the goodbye");
        }
    }
}

fn request(settings: &Settings) -> Result<Request, OpenError> {
    let unfit = |what: &str| OpenError::Upgrade(format!("{what} cannot be sent in a request"));
    let endpoint = settings.server.endpoint();
    let mut path = endpoint.path(&format!("/agent?protocol={PROTOCOL}"));
    if let Some(token) = &settings.worker_token {
        path.push_str("&worker_token=");
        path.extend(byte_serialize(token.expose().as_bytes()));
    }
    let url = format!("ws://{}{path}", endpoint.authority());
    let mut request = url.into_client_request().map_err(|_| unfit("the URL"))?;
    let bearer = format!("Bearer {}", settings.keys.worker()?.expose());
    let mut bearer: HeaderValue = bearer.parse().map_err(|_| unfit("the token"))?;
    bearer.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, bearer);
    Ok(request)
}

fn refusal(error: Error) -> OpenError {
    match error {
        Error::Http(response) => {
            let body = String::from_utf8_lossy(response.body().as_deref().unwrap_or_default());
            let detail = body.chars().filter(|c| !c.is_control()).take(MAX_DETAIL_CHARS).collect();
            match response.status().as_u16() {
                401 => OpenError::Unauthorized(detail),
                status => OpenError::Refused { status, detail },
            }
        }
        Error::Io(error) => OpenError::Upgrade(said(&error)),
        other => OpenError::Upgrade(other.to_string()),
    }
}

pub(crate) fn decode(bytes: &[u8]) -> Frame {
    match proto::ServerMessage::decode(bytes) {
        Ok(proto::ServerMessage { message: Some(message) }) => Frame::Message(Box::new(message)),
        Ok(_) | Err(_) => Frame::Undecodable(bytes.len()),
    }
}

fn broken(error: Error) -> Lost {
    match error {
        Error::ConnectionClosed | Error::AlreadyClosed => Lost::Closed(None),
        Error::Io(error) => Lost::Broken(said(&error)),
        other => Lost::Broken(other.to_string()),
    }
}

fn said(error: &io::Error) -> String {
    error.kind().to_string()
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;
    use tokio_tungstenite::accept_async;
    use tokio_tungstenite::tungstenite::http::Response;
    use voicegraph_engine::connect::Roots;
    use voicegraph_engine::secret::Secret;

    use super::*;
    use crate::protocol::settings::Server;
    use crate::protocol::token::Keys;

    /// How a binary frame begins, and one that another completes (RFC 6455, section 5.2).
    const WHOLE: u8 = 0x82;
    const BEGUN: u8 = 0x02;
    const LAST: u8 = 0x80;

    /// A frame that says that it has so many bytes, and has so many.
    fn frame(first: u8, said: usize, sent: usize) -> Vec<u8> {
        /// A length of eight bytes follows.
        const LONG: u8 = 127;
        let length = (said as u64).to_be_bytes();
        [&[first, LONG][..], &length, &vec![0xff; sent]].concat()
    }

    /// What comes of a server that sends that and goes.
    async fn received(frames: &[Vec<u8>]) -> Result<Frame, String> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("loopback has free ports");
        let url = format!("ws://{}", listener.local_addr().expect("it is bound"));
        let keys = Keys { key: "devkey".to_owned(), secret: Secret::new("secret") };
        let settings = Settings::new(Server::parse(&url).expect("it is a URL"), keys);
        let opening = Socket::open(Connector::new(&Roots::default()), settings);
        let serving = async {
            let (stream, _) = listener.accept().await.expect("somebody comes");
            let mut server = accept_async(stream).await.expect("it is a worker");
            // It is broken off where it is too long.
            let _ = server.get_mut().write_all(&frames.concat()).await;
        };
        let receiving = async { opening.await.expect("the server lets it in").next().await };
        let (received, ()) = tokio::join!(receiving, serving);
        received.map_err(|lost| lost.to_string())
    }

    #[tokio::test]
    async fn a_message_longer_than_the_limit_ends_the_connection() {
        const MOST: usize = MAX_MESSAGE_BYTES;
        let longest = received(&[frame(WHOLE, MOST, MOST)]).await;
        assert!(matches!(longest, Ok(Frame::Undecodable(MOST))), "{longest:?}");
        // In one frame, of which nothing is waited for, and in two.
        for frames in
            [vec![frame(WHOLE, MOST + 1, 0)], vec![frame(BEGUN, MOST, MOST), frame(LAST, 1, 1)]]
        {
            let error = received(&frames).await.expect_err("it is too long");
            assert!(error.starts_with("the connection broke: Space limit exceeded"), "{error}");
        }
    }

    #[test]
    fn of_a_refusal_the_beginning_is_told() {
        let body = Some("no ".repeat(1_000).into_bytes());
        let response = Response::builder().status(503).body(body).expect("it is an answer");
        let OpenError::Refused { status: 503, detail } = refusal(Error::Http(response.into()))
        else {
            panic!("it is no refusal");
        };
        assert_eq!(detail.len(), MAX_DETAIL_CHARS);
    }
}
