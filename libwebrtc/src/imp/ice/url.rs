//! The addresses of STUN and TURN servers as configurations write them (RFC 7064, RFC 7065).

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// What a server is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// To tell how others see us.
    Stun,
    /// To relay, and how it is reached.
    Turn(Transport),
}

/// How a relay is reached. It reaches the peer over UDP always.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Udp,
    Tcp,
    Tls,
}

/// A server's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerUrl {
    pub(crate) service: Service,
    /// A name, or an address without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    text: String,
}

/// Why a text is no address of a server. The text is told beside it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UrlError {
    #[error("begins with none of `stun:`, `turn:`, `turns:`")]
    Scheme,
    #[error("transport `{0}` is not supported here: write `udp` or `tcp`, and `tcp` for `turns:`")]
    Transport(String),
    #[error("names no host: write `host`, `host:port` or `[address]:port`")]
    Host,
    #[error("port `{0}` is not one of 1 to 65535")]
    Port(String),
}

impl FromStr for ServerUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = text.split_once(':').ok_or(UrlError::Scheme)?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let transport = query.split('&').find_map(|part| part.strip_prefix("transport="));
        let scheme = scheme.to_ascii_lowercase();
        let (service, port) = match (scheme.as_str(), transport) {
            ("stun", None) => (Service::Stun, 3478),
            ("turn", None | Some("udp")) => (Service::Turn(Transport::Udp), 3478),
            ("turn", Some("tcp")) => (Service::Turn(Transport::Tcp), 3478),
            ("turns", None | Some("tcp")) => (Service::Turn(Transport::Tls), 5349),
            ("stun" | "turn" | "turns", Some(other)) => {
                return Err(UrlError::Transport(other.to_owned()));
            }
            _ => return Err(UrlError::Scheme),
        };
        let (host, written) = place_of(place)?;
        let port = match written {
            None => port,
            Some(written) => match written.parse() {
                Ok(port) if port != 0 => port,
                _ => return Err(UrlError::Port(written.to_owned())),
            },
        };
        Ok(Self { service, host: host.to_owned(), port, text: text.to_owned() })
    }
}

/// Host and port of `host`, `host:port`, `[address]` or `[address]:port`.
fn place_of(place: &str) -> Result<(&str, Option<&str>), UrlError> {
    let (host, port) = if let Some(bracketed) = place.strip_prefix('[') {
        let (host, rest) = bracketed.split_once(']').ok_or(UrlError::Host)?;
        if !matches!(host.parse(), Ok(IpAddr::V6(_))) {
            return Err(UrlError::Host);
        }
        match rest.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if rest.is_empty() => (host, None),
            None => return Err(UrlError::Host),
        }
    } else {
        let (host, port) = place.split_once(':').map_or((place, None), |(h, p)| (h, Some(p)));
        let is_named = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
        if host.is_empty() || !host.chars().all(is_named) {
            return Err(UrlError::Host);
        }
        (host, port)
    };
    Ok((host, port))
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, service: Service, host: &str, port: u16) {
        let url: ServerUrl = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((url.service, url.host.as_str(), url.port), (service, host, port), "{text}");
        assert_eq!(url.to_string(), text);
    }

    fn refused(text: &str, error: UrlError) {
        assert_eq!(text.parse::<ServerUrl>(), Err(error), "{text}");
    }

    #[test]
    fn servers_are_read_with_their_default_ports() {
        use Transport::{Tcp, Tls, Udp};
        check("stun:stun.example.org", Service::Stun, "stun.example.org", 3478);
        check("stun:192.0.2.1:19302", Service::Stun, "192.0.2.1", 19302);
        check("turn:host", Service::Turn(Udp), "host", 3478);
        check("turn:host:80?transport=udp", Service::Turn(Udp), "host", 80);
        check("turn:host:80?transport=tcp", Service::Turn(Tcp), "host", 80);
        check("turns:host:443?transport=tcp", Service::Turn(Tls), "host", 443);
        check("turns:host", Service::Turn(Tls), "host", 5349);
        check("TURN:[2001:db8::1]:99", Service::Turn(Udp), "2001:db8::1", 99);
        check("stun:[::1]", Service::Stun, "::1", 3478);
    }

    #[test]
    fn what_is_no_server_is_refused() {
        refused("", UrlError::Scheme);
        refused("http://host", UrlError::Scheme);
        refused("stuns:host", UrlError::Scheme);
        refused("turn:", UrlError::Host);
        refused("turn://host", UrlError::Host);
        refused("turn:user@host", UrlError::Host);
        refused("turn:[host]", UrlError::Host);
        refused("turn:[::1", UrlError::Host);
        refused("turn:[::1]x", UrlError::Host);
        refused("turn:host:0", UrlError::Port("0".to_owned()));
        refused("turn:host:65536", UrlError::Port("65536".to_owned()));
        refused("turn:host?transport=sctp", UrlError::Transport("sctp".to_owned()));
        refused("turns:host?transport=udp", UrlError::Transport("udp".to_owned()));
    }
}
