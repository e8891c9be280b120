//! Who calls, as the proxy in front says.
//!
//! A header, since a proxy can set and remove it, a page cannot send it, and it stands in no log of
//! requests. Without such a proxy anybody can claim to be anybody.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue};

/// The header's name.
const HEADER: &str = "voicegraph-caller";

/// The longest identity, in bytes: those of LiveKit and SIP are shorter.
const MAX_LENGTH: usize = 256;

/// The header cannot be read. What it holds is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{HEADER}: write one phone number (+441632960001) or identity, 1 to 256 ASCII characters")]
pub(super) struct BadCaller;

/// The caller; `None` where the header is missing.
pub(super) fn from_headers(headers: &HeaderMap) -> Result<Option<Arc<str>>, BadCaller> {
    let mut values = headers.get_all(HEADER).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(BadCaller);
    }
    first.map(read).transpose()
}

fn read(value: &HeaderValue) -> Result<Arc<str>, BadCaller> {
    let text = value.to_str().map_err(|_| BadCaller)?;
    let fits = !text.trim().is_empty() && text.len() <= MAX_LENGTH;
    fits.then(|| Arc::from(text)).ok_or(BadCaller)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&[u8]]) -> Result<Option<String>, BadCaller> {
        let values = values.iter().map(|value| HeaderValue::from_bytes(value).expect("a value"));
        let headers = values.map(|value| (HEADER.parse().expect("a name"), value)).collect();
        from_headers(&headers).map(|caller| caller.map(|caller| caller.to_string()))
    }

    #[test]
    fn one_header_names_the_caller() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[b"+441632960001"]), Ok(Some("+441632960001".to_owned())));
    }

    #[test]
    fn what_names_nobody_is_refused() {
        let long = [b'1'; MAX_LENGTH + 1];
        for values in [&[&b" "[..]][..], &[b"+44", b"+45"], &[b"\xff"], &[&long]] {
            assert_eq!(read(values), Err(BadCaller), "{values:?}");
        }
    }
}
