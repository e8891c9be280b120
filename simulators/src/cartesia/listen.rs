//! Who may speak: versions, keys, and `GET /tts/websocket`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri};
use tokio::time::Instant;
use url::form_urlencoded;

use super::error::{Problem, Version};
use super::script::{Fault, Script};
use super::session::Session;
use crate::fault::{Damage, of_connection};
use crate::log::{Direction, Tap};
use crate::server::{Answer, Handshake, Refused, Reply, World, credential, request_id, valid};

/// Marks Cartesia's request ids.
const ID: u8 = 0xc;

/// What Cartesia's connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(super) script: Arc<Script>,
    connections: AtomicU64,
    /// Contexts that are open, over all connections.
    pub(super) active: Arc<AtomicUsize>,
}

impl Shared {
    /// Nothing has happened yet.
    pub(crate) fn new(script: Script) -> Self {
        Self { script: Arc::new(script), connections: AtomicU64::new(0), active: Arc::default() }
    }
}

/// A connection or request that was let in, or the answer that it was not.
pub(super) struct Guest {
    pub(super) request_id: String,
    pub(super) damage: Damage,
    pub(super) faults: Vec<Fault>,
    pub(super) tap: Tap,
    pub(super) opened: Instant,
    pub(super) version: Result<Version, (Option<Version>, Problem)>,
    retry_after_s: Option<u64>,
}

impl Guest {
    /// Looks at the faults, the version and the key of a request.
    pub(super) fn new<B>(
        world: &World,
        request: &Request<B>,
        pace: impl Fn(Option<(usize, Duration)>),
    ) -> Result<Self, Refused> {
        let number = world.cartesia.connections.fetch_add(1, Ordering::Relaxed) + 1;
        let (wire, faults) = of_connection(&world.script.cartesia.faults, number);
        let (opened, tap) = (Instant::now(), world.log.of("cartesia", number));
        let damage = Damage::new(wire, opened);
        pace(damage.slowness());
        tap.record(Direction::In, "", "open", 0);
        if damage.is_refused() {
            return Err(Refused);
        }
        let scripted = damage.status();
        let retry_after_s = scripted.and_then(|(_, retry_after_s)| retry_after_s);
        let version = check(request.headers(), request.uri(), scripted.map(|(status, _)| status));
        let request_id = request_id(ID, number);
        Ok(Self { request_id, damage, faults, tap, opened, version, retry_after_s })
    }

    /// The answer to a guest that is not let in.
    pub(super) fn refuse(&self, version: Option<&Version>, problem: &Problem) -> Reply {
        let mut reply = marked(problem.reply(version, &self.request_id), &self.request_id);
        if let Some(seconds) = self.retry_after_s {
            reply.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        reply
    }
}

/// `reply` with the request's id.
pub(super) fn marked(mut reply: Reply, request_id: &str) -> Reply {
    let id = HeaderValue::from_str(request_id).expect("ids are plain ASCII");
    reply.headers_mut().insert(HeaderName::from_static("x-request-id"), id);
    reply
}

/// Answers a request for `/tts/websocket`.
pub(crate) fn answer<B>(
    world: &Arc<World>,
    mut request: Request<B>,
    pace: impl Fn(Option<(usize, Duration)>),
) -> Result<Answer, Refused> {
    let guest = Guest::new(world, &request, pace)?;
    let version = match &guest.version {
        Ok(version) => version.clone(),
        Err((version, problem)) => {
            return Ok(Answer::Reply(guest.refuse(version.as_ref(), problem)));
        }
    };
    let Some(handshake) = Handshake::of(&mut request) else {
        let problem = Problem::bad("Bad request", "the request is no websocket upgrade");
        return Ok(Answer::Reply(guest.refuse(Some(&version), &problem)));
    };
    let session = Session::new(
        world.cartesia.script.clone(),
        guest.faults,
        version,
        guest.request_id.clone(),
        world.cartesia.active.clone(),
        guest.opened,
    );
    let headers = [("x-request-id", guest.request_id.as_str())];
    let (reply, upgrade) = handshake.accept(&headers, Box::new(session), guest.damage, guest.tap);
    Ok(Answer::Upgrade(reply, upgrade))
}

/// The client's version, or why it may not come in, in the form its version has.
fn check(
    headers: &HeaderMap,
    uri: &Uri,
    scripted: Option<u16>,
) -> Result<Version, (Option<Version>, Problem)> {
    let query: Vec<(String, String)> =
        form_urlencoded::parse(uri.query().unwrap_or("").as_bytes()).into_owned().collect();
    let parameter =
        |name: &str| query.iter().find_map(|(key, value)| (key == name).then_some(value.as_str()));
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let version = parameter("cartesia_version").or_else(|| header("cartesia-version"));
    let version = version.and_then(Version::of);
    if let Some(status) = scripted {
        return Err((version, Problem::scripted(status)));
    }
    let keys = [header("x-api-key"), parameter("api_key"), parameter("access_token")];
    let key = keys.into_iter().flatten().find_map(valid);
    if key.or_else(|| credential(headers, &["bearer"])).is_none() {
        let message = "The API key is missing or invalid.";
        return Err((version, Problem { message: message.to_owned(), ..Problem::scripted(401) }));
    }
    version.ok_or_else(|| {
        let message = "Cartesia-Version must be a date, YYYY-MM-DD, in a header or the query.";
        (None, Problem::bad("Missing version", message))
    })
}
