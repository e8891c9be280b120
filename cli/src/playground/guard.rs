//! Who may ask: pages of this server, reached by a name of the loopback.
//!
//! The server hands out places in rooms, so it listens on loopback alone. That keeps other machines
//! out, but not pages in this machine's browser. A page of another origin is told by `Origin`,
//! which browsers send with each POST; a page whose own name was made to lead to the loopback (DNS
//! rebinding) is told by `Host`.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;

/// A listener that only this machine reaches; port 0 takes a free one.
///
/// # Errors
/// As binding fails: the port is taken.
pub async fn bind(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await
}

/// The names by which this machine's browser may call the server: `127.0.0.1:8080`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Own([String; 2]);

impl Own {
    /// The names of the server that listens at `address`.
    pub fn of(address: SocketAddr) -> Self {
        let port = address.port();
        Self([format!("127.0.0.1:{port}"), format!("localhost:{port}")])
    }

    /// Whether a request with these headers comes from here; if not, why.
    fn check(&self, headers: &HeaderMap) -> Result<(), String> {
        let host = text(headers, header::HOST).unwrap_or_default();
        if !self.0.iter().any(|own| own == host) {
            return Err(format!("this server is not {host:?}; open http://{}\n", self.0[0]));
        }
        let Some(origin) = text(headers, header::ORIGIN) else { return Ok(()) };
        let own = origin.strip_prefix("http://").is_some_and(|authority| authority == host);
        if own { Ok(()) } else { Err(format!("pages of {origin:?} may not ask here\n")) }
    }
}

/// The header's text; what is none is no name of ours either.
fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).map(|value| value.to_str().unwrap_or_default())
}

/// Passes on what comes from here and refuses the rest with 403.
pub(super) async fn guard(State(own): State<Own>, request: Request, next: Next) -> Response {
    match own.check(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(why) => (StatusCode::FORBIDDEN, why).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_page_under_an_own_name_may_ask() {
        let own = Own::of(([127, 0, 0, 1], 8080).into());
        for (host, origin, allowed) in [
            ("127.0.0.1:8080", None, true),
            ("localhost:8080", None, true),
            ("127.0.0.1:8080", Some("http://127.0.0.1:8080"), true),
            ("localhost:8080", Some("http://localhost:8080"), true),
            ("localhost:8080", Some("http://127.0.0.1:8080"), false),
            ("127.0.0.1:8080", Some("https://127.0.0.1:8080"), false),
            ("127.0.0.1:8080", Some("http://127.0.0.1:9090"), false),
            ("127.0.0.1:8080", Some("https://evil.example"), false),
            ("127.0.0.1:8080", Some("null"), false),
            ("127.0.0.1:8080", Some(""), false),
            ("evil.example:8080", Some("http://evil.example:8080"), false),
            ("evil.example:8080", None, false),
            ("127.0.0.1:9090", None, false),
            ("127.0.0.1", None, false),
            ("", None, false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            assert_eq!(own.check(&headers).is_ok(), allowed, "{host} {origin:?}");
        }
        assert!(own.check(&HeaderMap::new()).is_err(), "no host");
    }
}
