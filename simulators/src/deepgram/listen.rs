//! `GET /v1/listen`: who may open a stream, and how the others are refused.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::header::{RETRY_AFTER, SEC_WEBSOCKET_PROTOCOL};
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use serde_json::json;
use tokio::time::Instant;

use super::calls::Calls;
use super::query;
use super::session::Session;
use crate::fault::{Damage, of_connection};
use crate::log::Direction;
use crate::server::{
    Answer, Handshake, Refused, Reply, World, credential, json, request_id, valid,
};

/// Marks Deepgram's request ids.
const ID: u8 = 0xd;

/// What Deepgram's connections share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    connections: AtomicU64,
    pub(super) calls: Mutex<Calls>,
}

/// Answers a request for `/v1/listen`; `pace` slows the connection down where a fault says so.
pub(crate) fn answer<B>(
    world: &Arc<World>,
    mut request: Request<B>,
    pace: impl Fn(Option<(usize, Duration)>),
) -> Result<Answer, Refused> {
    let number = world.deepgram.connections.fetch_add(1, Ordering::Relaxed) + 1;
    let (wire, own) = of_connection(&world.script.deepgram.faults, number);
    let (now, tap) = (Instant::now(), world.log.of("deepgram", number));
    let damage = Damage::new(wire, now);
    pace(damage.slowness());
    tap.record(Direction::In, "", "open", 0);
    if damage.is_refused() {
        return Err(Refused);
    }
    let id = request_id(ID, number);
    let refuse = |refusal: Refusal| Ok(Answer::Reply(refusal.reply(&id)));
    if let Some((status, retry_after_s)) = damage.status() {
        return refuse(Refusal::scripted(status, retry_after_s));
    }
    if !is_allowed(request.headers()) {
        return refuse(Refusal::new(401, "INVALID_AUTH", "Invalid credentials."));
    }
    let query = match query::decode(request.uri().query().unwrap_or("")) {
        Ok(query) => query,
        Err(error) => {
            return refuse(Refusal::new(400, "INVALID_QUERY_PARAMETER", error.to_string()));
        }
    };
    let Some(handshake) = Handshake::of(&mut request) else {
        return refuse(Refusal::new(400, "Bad Request", "The request is no websocket upgrade."));
    };
    let session = Session::new(world.clone(), query, id.clone(), own, now);
    let (reply, upgrade) =
        handshake.accept(&[("dg-request-id", &id)], Box::new(session), damage, tap);
    Ok(Answer::Upgrade(reply, upgrade))
}

/// Whether the headers carry a key: `Token`, `Bearer`, or a browser's subprotocol.
fn is_allowed(headers: &HeaderMap) -> bool {
    credential(headers, &["token", "bearer"]).or_else(|| subprotocol_key(headers)).is_some()
}

/// The key in `Sec-WebSocket-Protocol: token, <key>`.
fn subprotocol_key(headers: &HeaderMap) -> Option<&str> {
    let offered = headers.get(SEC_WEBSOCKET_PROTOCOL)?.to_str().ok()?;
    let (scheme, key) = offered.split_once(',')?;
    let known = ["token", "bearer"].contains(&scheme.trim().to_lowercase().as_str());
    valid(key.trim()).filter(|_| known)
}

/// A refusal at the upgrade.
struct Refusal {
    status: u16,
    code: &'static str,
    message: String,
    retry_after_s: Option<u64>,
}

impl Refusal {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retry_after_s: None }
    }

    /// The documented code and text of a status that the script asks for.
    fn scripted(status: u16, retry_after_s: Option<u64>) -> Self {
        let (code, message) = match status {
            400 => ("Bad Request", "Bad request."),
            401 => ("INVALID_AUTH", "Invalid credentials."),
            402 => ("ASR_PAYMENT_REQUIRED", "Project does not have enough credits."),
            403 => ("INSUFFICIENT_PERMISSIONS", "The project may not use this model."),
            404 => ("NOT_FOUND", "Not found."),
            429 => ("TOO_MANY_REQUESTS", "Too many requests. Please try again later"),
            _ => ("INTERNAL_SERVER_ERROR", "An error occurred on our side."),
        };
        Self { status, code, message: message.to_owned(), retry_after_s }
    }

    fn reply(self, id: &str) -> Reply {
        let body = json!({ "err_code": self.code, "err_msg": self.message, "request_id": id });
        let mut reply = json(self.status, &body);
        let mut set = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                reply.headers_mut().insert(name, value);
            }
        };
        set(HeaderName::from_static("dg-request-id"), id);
        set(HeaderName::from_static("dg-error"), &self.message);
        if let Some(seconds) = self.retry_after_s {
            set(RETRY_AFTER, &seconds.to_string());
        }
        reply
    }
}
