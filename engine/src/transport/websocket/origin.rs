//! Which web pages may open calls.
//!
//! A browser lets any page open a websocket to any server, loopback included, and tells the server
//! where the page came from. Clients that are no browser send no `Origin` and are let in: what they
//! may do, the network decides.

use axum::http::{HeaderMap, header};

/// The pages that may open calls: those of the server's own host, and those named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(Vec<String>);

impl Origins {
    /// Pages of the server's own host, and of `others`: `https://clinic.example`, no path.
    pub fn own_and(others: impl IntoIterator<Item = String>) -> Self {
        Self(others.into_iter().map(|origin| origin.trim_end_matches('/').to_owned()).collect())
    }

    /// Whether a request with these headers may open a call.
    pub(super) fn allow(&self, headers: &HeaderMap) -> bool {
        let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
        let Some(origin) = text(header::ORIGIN) else { return true };
        let own = origin.split_once("://").map(|(_, authority)| authority);
        let own = own.is_some() && own == text(header::HOST);
        own || self.0.iter().any(|other| other.eq_ignore_ascii_case(origin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_the_own_host_and_those_named_may_call() {
        let origins = Origins::own_and(["https://clinic.example/".to_owned()]);
        for (origin, allowed) in [
            (None, true),
            (Some("http://127.0.0.1:8080"), true),
            (Some("https://clinic.example"), true),
            (Some("https://evil.example"), false),
            (Some("http://127.0.0.1:9090"), false),
            (Some("null"), false),
            (Some(""), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, "127.0.0.1:8080".parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            assert_eq!(origins.allow(&headers), allowed, "{origin:?}");
        }
    }
}
