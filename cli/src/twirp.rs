//! LiveKit's API: twirp, that is JSON by POST.

use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::client::conn::http1;
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::timeout;
use voicegraph_engine::connect::{ConnectError, Connector, Endpoint, EndpointError, Roots};
use voicegraph_engine::secret::Secret;

/// How long a connection may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// How long an answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// The longest answer, in bytes.
const MAX_ANSWER: usize = 1 << 20;

/// A LiveKit server.
pub(crate) struct Server(Endpoint);

/// Why the API gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TwirpError {
    /// There is no connection.
    #[error("{0}")]
    Connect(ConnectError),
    /// It broke, or what came is no HTTP.
    #[error("the server's answer broke off: {0}")]
    Broken(#[from] hyper::Error),
    /// Nothing came in time.
    #[error("the server did not answer within {ANSWER_LIMIT:?}")]
    TimedOut,
    /// What came is no answer of this API.
    #[error("the server answered {0} and no JSON that is understood; is it a LiveKit server?")]
    Foreign(StatusCode),
    /// The server said no.
    #[error("the server refused with {status}: {message} ({code})")]
    Refused {
        /// The status of the answer.
        status: StatusCode,
        /// The twirp code.
        code: String,
        /// The server's words.
        message: String,
    },
    /// The server does not take the token. Its words may repeat it, so they are not told.
    #[error("the server refused the token; are LIVEKIT_API_KEY and LIVEKIT_API_SECRET its own?")]
    Unauthorized,
}

/// A twirp error.
#[derive(Deserialize)]
struct Complaint {
    code: String,
    msg: String,
}

impl Server {
    /// The server at `url`, whose scheme may be that of its websockets.
    pub(crate) fn at(url: &str) -> Result<Self, EndpointError> {
        Endpoint::parse(url).map(Self)
    }

    /// Calls `method`: `livekit.AgentDispatchService/CreateDispatch`.
    pub(crate) async fn call(
        &self,
        method: &str,
        token: &Secret,
        request: &Value,
    ) -> Result<Value, TwirpError> {
        let connecting = Connector::new(&Roots::default());
        let stream = connecting.connect(&self.0, CONNECT_LIMIT).await;
        let stream = stream.map_err(TwirpError::Connect)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let request = Request::post(self.0.path(&format!("/twirp/{method}")))
            .header(header::HOST, self.0.authority())
            .header(header::AUTHORIZATION, format!("Bearer {}", token.expose()))
            .header(header::CONTENT_TYPE, "application/json")
            .body(request.to_string())
            .expect("a base URL's path and authority are valid, and a token is ASCII");
        let asking = async move {
            let answer = sender.send_request(request).await?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), MAX_ANSWER).collect().await;
            let body = body.map_err(|_| TwirpError::Foreign(status))?;
            read(status, &body.to_bytes())
        };
        // The connection ends when the answer is there: its sender is dropped then.
        let both = async { tokio::join!(asking, connection).0 };
        timeout(ANSWER_LIMIT, both).await.unwrap_or(Err(TwirpError::TimedOut))
    }
}

fn read(status: StatusCode, body: &[u8]) -> Result<Value, TwirpError> {
    let foreign = |_| TwirpError::Foreign(status);
    match status {
        StatusCode::OK => serde_json::from_slice(body).map_err(foreign),
        StatusCode::UNAUTHORIZED => Err(TwirpError::Unauthorized),
        _ => {
            let Complaint { code, msg: message } = serde_json::from_slice(body).map_err(foreign)?;
            Err(TwirpError::Refused { status, code, message })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_apart() {
        let said = |status, body: &str| read(status, body.as_bytes()).unwrap_err().to_string();
        let made = read(StatusCode::OK, br#"{"id":"AD_1"}"#).unwrap();
        assert_eq!(made["id"], "AD_1");
        let unauthorized = said(StatusCode::UNAUTHORIZED, "invalid token: eyJhbGciOi");
        assert!(unauthorized.contains("LIVEKIT_API_SECRET") && !unauthorized.contains("eyJ"));
        let not_found = said(StatusCode::NOT_FOUND, r#"{"code":"bad_route","msg":"no handler"}"#);
        assert_eq!(not_found, "the server refused with 404 Not Found: no handler (bad_route)");
        for (status, body) in [(StatusCode::NOT_FOUND, "404 page"), (StatusCode::OK, "<html>")] {
            assert!(said(status, body).contains("is it a LiveKit server?"), "{body}");
        }
    }
}
