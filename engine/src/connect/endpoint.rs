//! Where a provider is: the part of a base URL that the network needs, and the rest for HTTP.

use std::fmt;
use std::io;

use rustls::pki_types::ServerName;
use url::Url;

/// A provider's base URL, checked: `wss://api.deepgram.com`, `https://api.openai.com/v1`,
/// `http://127.0.0.1:8080/v1`, or `sim://deepgram` for a stand-in in this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    scheme: Scheme,
    host: String,
    port: u16,
    path: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Plain,
    Tls,
    Simulated,
}

/// Why a base URL is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// It is no URL.
    #[error("not a URL ({reason}); write for example \"https://api.example.com/v1\"")]
    Malformed {
        /// What the parser says.
        reason: String,
    },
    /// Its scheme is none that is spoken here.
    #[error("unknown scheme {scheme:?}; use ws, wss, http, https or sim")]
    Scheme {
        /// The scheme.
        scheme: String,
    },
    /// It names no host.
    #[error("no host; write for example \"https://api.example.com/v1\"")]
    NoHost,
    /// It holds what does not belong in a base URL.
    #[error("a base URL has no {part}; keys have options of their own")]
    Unwanted {
        /// User information, query or fragment.
        part: &'static str,
    },
}

impl Endpoint {
    /// Parses a base URL.
    ///
    /// # Errors
    /// [`EndpointError`], which names the mistake and never repeats the URL: it may hold a secret.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let url = Url::parse(text)
            .map_err(|error| EndpointError::Malformed { reason: error.to_string() })?;
        let (scheme, default_port) = match url.scheme() {
            "ws" | "http" => (Scheme::Plain, 80),
            "wss" | "https" => (Scheme::Tls, 443),
            "sim" => (Scheme::Simulated, 0),
            other => return Err(EndpointError::Scheme { scheme: other.to_owned() }),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointError::Unwanted { part: "user or password" });
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(EndpointError::Unwanted { part: "query or fragment" });
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(EndpointError::NoHost)?;
        Ok(Self {
            scheme,
            host: host.trim_matches(['[', ']']).to_owned(),
            port: url.port().unwrap_or(default_port),
            path: url.path().trim_end_matches('/').to_owned(),
        })
    }

    /// The host's name or address.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The base URL's path followed by `path`, which begins with a slash.
    pub fn path(&self, path: &str) -> String {
        format!("{}{path}", self.path)
    }

    /// The value of the `Host` header.
    pub fn authority(&self) -> String {
        let host =
            if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match (self.scheme, self.port) {
            (Scheme::Plain, 80) | (Scheme::Tls, 443) | (Scheme::Simulated, _) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }

    /// The simulator's name, where the endpoint is one.
    pub fn simulator(&self) -> Option<&str> {
        (self.scheme == Scheme::Simulated).then_some(self.host.as_str())
    }

    /// The name to verify the certificate against; `None` where the stream is plain.
    pub(super) fn server_name(&self) -> io::Result<Option<ServerName<'static>>> {
        if self.scheme != Scheme::Tls {
            return Ok(None);
        }
        let name = ServerName::try_from(self.host.clone());
        name.map(Some).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))
    }
}

/// The endpoint without its path: what an error may show.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.authority())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_what_providers_and_people_write() {
        for (text, authority, path) in [
            ("wss://api.deepgram.com", "api.deepgram.com", "/v1/listen"),
            ("https://api.openai.com/v1/", "api.openai.com", "/v1/v1/listen"),
            ("http://127.0.0.1:8080/v1", "127.0.0.1:8080", "/v1/v1/listen"),
            ("ws://[::1]:9000", "[::1]:9000", "/v1/listen"),
            ("sim://deepgram", "deepgram", "/v1/listen"),
        ] {
            let endpoint = Endpoint::parse(text).expect(text);
            assert_eq!(endpoint.authority(), authority, "{text}");
            assert_eq!(endpoint.path("/v1/listen"), path, "{text}");
        }
    }

    #[test]
    fn refuses_with_a_reason() {
        for (text, part) in [
            ("api.deepgram.com", "not a URL"),
            ("ftp://host", "unknown scheme"),
            ("https://user:secret@host", "user or password"),
            ("https://host?key=secret", "query or fragment"),
        ] {
            let error = Endpoint::parse(text).expect_err(text).to_string();
            assert!(error.contains(part), "{text}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
