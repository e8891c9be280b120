//! What the page may do, as its browser enforces it: it runs its own scripts and styles, and speaks
//! with this server and the room's. So what is said goes to no one else.

use axum::http::HeaderValue;
use url::Url;

/// LiveKit Cloud hands a client on to the server of its region, which has a name of its own.
const CLOUD: &str = ".livekit.cloud";

/// The page's content security policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy(HeaderValue);

/// Why an address is none of a room server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{url:?} is no address of a LiveKit server; write wss://project.livekit.cloud for example")]
pub struct UrlError {
    /// What was given instead.
    pub url: String,
}

impl Policy {
    /// The policy of a page whose rooms are at `url`.
    ///
    /// # Errors
    /// [`UrlError`] where that is none of the schemes ws, wss, http, https with a host.
    pub fn new(url: &str) -> Result<Self, UrlError> {
        let wrong = || UrlError { url: url.to_owned() };
        let servers = servers(url).ok_or_else(wrong)?;
        let policy = format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
             connect-src 'self' {servers}; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'"
        );
        HeaderValue::try_from(policy).map(Self).map_err(|_| wrong())
    }

    pub(super) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

/// The room server as a policy names it: its websocket, and its answers over HTTP.
fn servers(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let (socket, web) = match url.scheme() {
        "ws" | "http" => ("ws", "http"),
        "wss" | "https" => ("wss", "https"),
        _ => return None,
    };
    let host = url.host_str().filter(|host| !host.is_empty())?;
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let own = format!("{socket}://{host}{port} {web}://{host}{port}");
    let regions = format!(" {socket}://*{CLOUD} {web}://*{CLOUD}");
    Some(own + if host.ends_with(CLOUD) { &regions } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_rooms_server_is_named() {
        let named = |url| servers(url).unwrap();
        assert_eq!(named("ws://127.0.0.1:7880"), "ws://127.0.0.1:7880 http://127.0.0.1:7880");
        assert_eq!(named("https://lk.example/a"), "wss://lk.example https://lk.example");
        assert_eq!(
            named("wss://clinic.livekit.cloud"),
            "wss://clinic.livekit.cloud https://clinic.livekit.cloud wss://*.livekit.cloud \
             https://*.livekit.cloud"
        );
    }

    #[test]
    fn what_is_no_server_is_refused() {
        for url in ["", "clinic", "ftp://a", "ws://", "127.0.0.1:7880", "ws://a b; script-src *"] {
            assert_eq!(Policy::new(url), Err(UrlError { url: url.to_owned() }), "{url}");
        }
    }
}
