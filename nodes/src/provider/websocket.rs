//! Opens a websocket to a provider through the engine's one door.

use std::time::Duration;

use http::HeaderName;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, http as wire};
use voicegraph_engine::connect::{Connector, Endpoint, Io};
use voicegraph_engine::secret::Secret;

use super::Failure;

/// A websocket to a provider.
pub type WebSocket = WebSocketStream<Box<dyn Io>>;

/// The largest message that a provider may send: far above any that the references show.
const MAX_MESSAGE_BYTES: usize = 4 << 20;

/// What a socket reads at once. The library advises this much for many connections: each call holds
/// two, and its own 128 KiB would be most of a call's memory. A larger message grows the buffer.
const READ_BUFFER_BYTES: usize = 4 << 10;

/// The most of a refusal's body that is repeated in an error.
const MAX_DETAIL_CHARS: usize = 200;

/// An upgrade request.
#[derive(Debug)]
pub struct Request<'a> {
    /// Where to.
    pub endpoint: &'a Endpoint,
    /// The path below the base URL, with the query.
    pub path: &'a str,
    /// Headers that are not secret.
    pub headers: &'a [(HeaderName, String)],
    /// The header that carries the key, its prefix (`"Token "`) and the key.
    pub credentials: (HeaderName, &'static str, &'a Secret),
    /// The time that connecting, TLS and the upgrade may take together.
    pub limit: Duration,
}

/// Opens the websocket.
///
/// # Errors
/// [`Failure`], classed by what went wrong: fatal for a refusal that will not change.
pub async fn open(connector: &Connector, request: Request<'_>) -> Result<WebSocket, Failure> {
    let upgrade = upgrade_request(&request)?;
    let limit = request.limit;
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES));
    let opening = async {
        let stream = connector.connect(request.endpoint, limit).await?;
        let opened =
            tokio_tungstenite::client_async_with_config(upgrade, stream, Some(config)).await;
        opened.map(|(socket, _)| socket).map_err(refusal)
    };
    match tokio::time::timeout(limit, opening).await {
        Ok(opened) => opened,
        Err(_) => Err(Failure::retry(format!("no upgrade within {} ms", limit.as_millis()))),
    }
}

fn upgrade_request(request: &Request<'_>) -> Result<wire::Request<()>, Failure> {
    let url =
        format!("ws://{}{}", request.endpoint.authority(), request.endpoint.path(request.path));
    let unfit = |what: &str| Failure::fatal(format!("{what} cannot be sent in a request"));
    let mut upgrade = url.into_client_request().map_err(|_| unfit("the base URL"))?;
    for (name, value) in request.headers {
        let fit = value.parse().map_err(|_| unfit(&format!("the value of header {name}")))?;
        upgrade.headers_mut().insert(name.clone(), fit);
    }
    let (name, prefix, key) = &request.credentials;
    let mut value: wire::HeaderValue =
        format!("{prefix}{}", key.expose()).parse().map_err(|_| unfit("the API key"))?;
    value.set_sensitive(true);
    upgrade.headers_mut().insert(name.clone(), value);
    Ok(upgrade)
}

fn refusal(error: Error) -> Failure {
    match error {
        Error::Http(response) => {
            let body = response.body().as_deref().unwrap_or_default();
            Failure::from_status(response.status(), response.headers(), &detail(body))
        }
        Error::Io(error) => Failure::retry(format!("connection lost: {}", error.kind())),
        Error::Protocol(ProtocolError::HandshakeIncomplete) => {
            Failure::retry("connection closed before the upgrade")
        }
        other => Failure::retry(format!("upgrade failed: {other}")),
    }
}

/// The provider's words in a refusal's body, from the fields that the references name.
fn detail(body: &[u8]) -> String {
    let text = match serde_json::from_slice::<serde_json::Value>(body) {
        Ok(json) => ["err_msg", "message", "title", "error"]
            .iter()
            .find_map(|field| json.get(field)?.as_str().map(str::to_owned))
            .unwrap_or_default(),
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    text.chars().filter(|c| !c.is_control()).take(MAX_DETAIL_CHARS).collect()
}
