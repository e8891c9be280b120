//! Calls over WebSocket: each connection is a call.
//!
//! ```text
//!   client ──binary: s16le mono PCM──> Capture ──> Source ──> graph
//!          <─binary: s16le mono PCM─── Line <───── Sink <──── graph
//!          <─text: JSON events──────── Line <───── observer of the call
//!          ──text: typed, pressed────> Source
//!          ──text: playout, hangup───> Line
//! ```
//!
//! Rates stand in the query: `?input_rate=16000&output_rate=24000`, 8000 to 48000 Hz; these are the
//! defaults. A message may hold any number of bytes; a sample may be cut between two messages.
//!
//! Sound is sent ahead of its time, by at most [`Settings::lead`]. When the agent falls silent
//! early, the client is told `{"type":"clear","id":1}` and must drop what it has not played. A
//! client may report how much it has played since the last `clear` (or the start), and which clear
//! that was: `{"type":"playout","played_ms":1240,"clear":1}`; then what counts as heard follows its
//! clock instead of an estimate. `{"type":"hangup"}` or a close ends the call.
//!
//! What the caller types is `{"type":"text","text":"At two."}`, a key of a telephone
//! `{"type":"dtmf","digit":"5"}`, and `{"type":"interrupt"}` silences the agent. What such a
//! message may hold says [`UserInput`](crate::message::UserInput); what it does is the graph's
//! matter. A message that is not understood is answered by `{"type":"error",…}`, and the call goes
//! on.
//!
//! Who calls may be said by a proxy in front, in the header `voicegraph-caller`.
//!
//! Of the runtime this module knows only [`Answer`]: a place is taken before the upgrade, so a
//! client that cannot be served gets 503 and `Retry-After`.

mod call;
mod caller;
mod capture;
pub mod decode;
mod line;
mod origin;
mod playout;
mod query;
#[cfg(test)]
mod tests;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use futures_util::future::BoxFuture;

pub use origin::Origins;

use super::Transport;
use query::Rates;

/// The longest message from a client: 1.3 s of sound at the highest rate.
const MAX_MESSAGE: usize = 128 * 1_024;

/// What a connection's buffers hold, in bytes: some frames of sound. The library advises this much
/// for many connections; its own choice of 128 KiB each would be most of a call's memory.
const BUFFER: usize = 4 * 1_024;

/// Whoever answers calls: the runtime, as this transport sees it.
pub trait Answer: Send + Sync + 'static {
    /// Takes a place for one more call.
    ///
    /// # Errors
    /// [`Busy`] where there is none.
    fn admit(&self) -> Result<Place, Busy>;
}

/// A place for one call. Given the call's audio, it runs the call to its end; dropped, it is free
/// again.
pub type Place = Box<dyn FnOnce(Transport) -> BoxFuture<'static, End> + Send>;

/// There is no place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Busy {
    /// Why, for the client.
    pub reason: String,
    /// When it may try again; told in whole seconds, at least one.
    pub retry_after: Duration,
}

/// How a call ended, as told to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// A short name: `finished`, `hung_up`, `node_failed`.
    pub reason: String,
    /// More about it, without content or secrets.
    pub message: Option<String>,
    /// The call's id, as logs name it.
    pub session: String,
}

/// The limits of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How far ahead of its playing sound is sent. More survives a worse network, and makes more to
    /// be dropped at an interruption. Default 200 ms.
    pub lead: Duration,
    /// How long a client may leave what is sent unread, before it counts as gone. Default 5 s.
    pub send_timeout: Duration,
    /// How long a client may say nothing, not even answer a ping, before it counts as gone. Pings
    /// are sent at a third of this. Default 30 s.
    pub idle_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lead: Duration::from_millis(200),
            send_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(30),
        }
    }
}

/// The route on which `answer` takes calls, from clients that are no browser and from `origins`.
pub fn route(answer: Arc<dyn Answer>, settings: Settings, origins: Origins) -> MethodRouter {
    get(upgrade).with_state((answer, settings, origins))
}

async fn upgrade(
    State((answer, settings, origins)): State<(Arc<dyn Answer>, Settings, Origins)>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    upgrade: WebSocketUpgrade,
) -> Response {
    if !origins.allow(&headers) {
        let reason = "calls are not taken from pages of this origin: see --allow-origin\n";
        return (StatusCode::FORBIDDEN, reason).into_response();
    }
    let rates = match Rates::from_query(query.as_deref().unwrap_or_default()) {
        Ok(rates) => rates,
        Err(error) => return (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response(),
    };
    let caller = match caller::from_headers(&headers) {
        Ok(caller) => caller,
        Err(error) => return (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response(),
    };
    let place = match answer.admit() {
        Ok(place) => place,
        Err(busy) => return refuse(&busy),
    };
    upgrade
        .max_message_size(MAX_MESSAGE)
        .max_frame_size(MAX_MESSAGE)
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .on_upgrade(move |socket| call::converse(socket, place, caller, rates, settings))
}

fn refuse(busy: &Busy) -> Response {
    let seconds = busy.retry_after.as_secs().max(1).to_string();
    let headers = [(header::RETRY_AFTER, seconds)];
    (StatusCode::SERVICE_UNAVAILABLE, headers, format!("{}\n", busy.reason)).into_response()
}
