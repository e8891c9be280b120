//! The websocket handshake (RFC 6455 section 4.2) on top of an HTTP request.

use bytes::Bytes;
use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, UPGRADE,
};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::socket::drive;
use super::{Peer, Reply};
use crate::fault::Damage;
use crate::log::Tap;

/// The largest message a client may send, in bytes: 30 s of 16 kHz audio.
const MESSAGE_LIMIT: usize = 1 << 20;

/// A request to become a websocket.
pub(crate) struct Handshake {
    on_upgrade: OnUpgrade,
    accept_key: String,
    protocol: Option<HeaderValue>,
}

/// A connection that becomes a websocket once its 101 is written.
pub(crate) struct Upgrade {
    on_upgrade: OnUpgrade,
    peer: Box<dyn Peer>,
    damage: Damage,
    tap: Tap,
}

impl Handshake {
    /// Reads the handshake of `request`, or `None` if it asks for no websocket.
    pub(crate) fn of<B>(request: &mut Request<B>) -> Option<Self> {
        let headers = request.headers();
        let asked = headers.get(UPGRADE)?.to_str().ok()?;
        let key = headers.get(SEC_WEBSOCKET_KEY)?;
        if !asked.eq_ignore_ascii_case("websocket") {
            return None;
        }
        let accept_key = derive_accept_key(key.as_bytes());
        let protocol = headers.get(SEC_WEBSOCKET_PROTOCOL).and_then(first_protocol);
        let on_upgrade = hyper::upgrade::on(request);
        Some(Self { on_upgrade, accept_key, protocol })
    }

    /// The 101 with `extra` headers, and the websocket that `peer` then holds.
    pub(crate) fn accept(
        self,
        extra: &[(&'static str, &str)],
        peer: Box<dyn Peer>,
        damage: Damage,
        tap: Tap,
    ) -> (Reply, Upgrade) {
        let body = Empty::<Bytes>::new().map_err(|never| match never {}).boxed_unsync();
        let mut reply = Response::new(body);
        *reply.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = reply.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, header(&self.accept_key));
        if let Some(protocol) = self.protocol {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, protocol);
        }
        for (name, value) in extra {
            headers.insert(HeaderName::from_static(name), header(value));
        }
        (reply, Upgrade { on_upgrade: self.on_upgrade, peer, damage, tap })
    }
}

impl Upgrade {
    /// Talks until either side ends it.
    pub(super) async fn run(self) {
        let Ok(upgraded) = self.on_upgrade.await else { return };
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_LIMIT))
            .max_frame_size(Some(MESSAGE_LIMIT));
        let io = TokioIo::new(upgraded);
        let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
        drive(socket, self.peer, self.damage, &self.tap).await;
    }
}

/// The first of the offered subprotocols: that is the scheme; what follows is a key.
fn first_protocol(offered: &HeaderValue) -> Option<HeaderValue> {
    let first = offered.to_str().ok()?.split(',').next()?.trim();
    HeaderValue::from_str(first).ok()
}

fn header(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).expect("ids and keys are plain ASCII")
}
