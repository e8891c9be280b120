//! The classes of provider failure, and what to do about each.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header::RETRY_AFTER};
use voicegraph_engine::connect::ConnectError;

/// A provider's failure. `what` never holds content or secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Failure {
    /// What happened, for the log and for the call's end reason.
    pub what: String,
    /// Whether trying again can help.
    pub verdict: Verdict,
}

/// Whether trying again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It cannot: a bad key, a bad request, no credit.
    Fatal,
    /// It can, at the pace of the backoff.
    Retry,
    /// It can, after the time that the provider named.
    RetryAfter(Duration),
}

impl Failure {
    /// A failure that trying again cannot mend.
    pub fn fatal(what: impl Into<String>) -> Self {
        Self { what: what.into(), verdict: Verdict::Fatal }
    }

    /// A failure that may pass.
    pub fn retry(what: impl Into<String>) -> Self {
        Self { what: what.into(), verdict: Verdict::Retry }
    }

    /// The failure that an HTTP status stands for: 408, 409, 425, 429 and 5xx may pass, all else
    /// may not.
    pub fn from_status(status: StatusCode, headers: &HeaderMap, detail: &str) -> Self {
        let detail = if detail.is_empty() { String::new() } else { format!(": {detail}") };
        let what = format!("HTTP {}{detail}", status.as_u16());
        let passing = matches!(status.as_u16(), 408 | 409 | 425 | 429) || status.is_server_error();
        match (passing, retry_after(headers)) {
            (false, _) => Self::fatal(what),
            (true, None) => Self::retry(what),
            (true, Some(delay)) => Self { what, verdict: Verdict::RetryAfter(delay) },
        }
    }
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::NoSimulator { .. } => Self::fatal(error.to_string()),
            ConnectError::Refused { .. } | ConnectError::TimedOut { .. } => {
                Self::retry(error.to_string())
            }
        }
    }
}

/// The delay that the provider asks for: `retry-after-ms`, else `Retry-After` in seconds. A date is
/// not read, since a machine's clock may be wrong; the backoff paces then.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let seconds = match number("retry-after-ms") {
        Some(ms) => ms / 1000.0,
        None => number(RETRY_AFTER.as_str())?,
    };
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_fatal_or_may_pass() {
        let none = HeaderMap::new();
        for (status, passes) in
            [(400, false), (401, false), (402, false), (404, false), (429, true), (503, true)]
        {
            let status = StatusCode::from_u16(status).expect("a status");
            let failure = Failure::from_status(status, &none, "");
            assert_eq!(failure.verdict == Verdict::Retry, passes, "{status}");
        }
    }

    #[test]
    fn the_provider_names_the_delay() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, "2".parse().expect("a value"));
        let failure = Failure::from_status(StatusCode::TOO_MANY_REQUESTS, &headers, "slow down");
        assert_eq!(failure.verdict, Verdict::RetryAfter(Duration::from_secs(2)));
        assert_eq!(failure.to_string(), "HTTP 429: slow down");
        headers.insert("retry-after-ms", "250".parse().expect("a value"));
        let failure = Failure::from_status(StatusCode::TOO_MANY_REQUESTS, &headers, "");
        assert_eq!(failure.verdict, Verdict::RetryAfter(Duration::from_millis(250)));
    }
}
