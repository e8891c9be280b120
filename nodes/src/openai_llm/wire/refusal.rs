//! How the provider refuses, before an answer and in the midst of one.

use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::provider::{Failure, Verdict};

/// Codes and types that no second attempt mends, whatever the status says.
const FATAL: [&str; 6] = [
    "insufficient_quota",
    "credit_balance_exhausted",
    "invalid_api_key",
    "invalid_request_error",
    "context_length_exceeded",
    "model_not_found",
];

/// The longest code that is repeated in an error.
const MAX_CODE_CHARS: usize = 64;

/// The failure that a response other than 200 stands for.
///
/// The provider's message is not repeated: it may quote the request, or a part of the key. Its
/// code, type and parameter are.
pub(in crate::openai_llm) fn refusal(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> Failure {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let error = Error::read(body.get("error").unwrap_or(&Value::Null));
    let failure = Failure::from_status(status, headers, &error.describe());
    let should_retry = headers.get("x-should-retry").map(http::HeaderValue::as_bytes);
    let out_of_credit = status == StatusCode::TOO_MANY_REQUESTS && error.is_fatal();
    match (should_retry, failure.verdict) {
        (Some(b"false"), _) => Failure { verdict: Verdict::Fatal, ..failure },
        _ if out_of_credit => Failure { verdict: Verdict::Fatal, ..failure },
        (Some(b"true"), Verdict::Fatal) => Failure { verdict: Verdict::Retry, ..failure },
        _ => failure,
    }
}

/// The failure that an error object in the midst of a stream stands for.
pub(super) fn broken_off(error: &Value) -> Failure {
    let error = Error::read(error);
    let what = format!("error in the stream: {}", error.describe());
    if error.is_fatal() { Failure::fatal(what) } else { Failure::retry(what) }
}

/// `{"message": …, "type": …, "param": …, "code": …}`, without the message.
#[derive(Debug, Default)]
struct Error {
    kind: Option<String>,
    code: Option<String>,
    param: Option<String>,
}

impl Error {
    fn read(error: &Value) -> Self {
        let field = |name| error.get(name).and_then(printable);
        Self { kind: field("type"), code: field("code"), param: field("param") }
    }

    fn is_fatal(&self) -> bool {
        let named = |name: &Option<String>| name.as_deref().is_some_and(|n| FATAL.contains(&n));
        named(&self.kind) || named(&self.code)
    }

    fn describe(&self) -> String {
        let name = self.code.as_deref().or(self.kind.as_deref()).unwrap_or("no reason given");
        match &self.param {
            Some(param) => format!("{name} ({param})"),
            None => name.to_owned(),
        }
    }
}

/// An identifier of the provider's. Anything else could be content.
fn printable(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let fits = |c: char| c.is_ascii_alphanumeric() || "_-.[]".contains(c);
    let fits = !text.is_empty() && text.len() <= MAX_CODE_CHARS && text.chars().all(fits);
    fits.then_some(text)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn refused(status: u16, headers: &[(&'static str, &str)], error: &str) -> Failure {
        let status = StatusCode::from_u16(status).expect("a status");
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().expect("a value"));
        }
        refusal(status, &map, format!(r#"{{"error":{error}}}"#).as_bytes())
    }

    #[test]
    fn each_status_of_the_reference_has_its_verdict() {
        for (status, error, passes, what) in [
            (
                400,
                r#"{"code":"unsupported_value","param":"temperature"}"#,
                false,
                "HTTP 400: unsupported_value (temperature)",
            ),
            (
                401,
                r#"{"type":"invalid_request_error","code":"invalid_api_key"}"#,
                false,
                "HTTP 401: invalid_api_key",
            ),
            (403, "{}", false, "HTTP 403: no reason given"),
            (404, r#"{"code":"model_not_found"}"#, false, "HTTP 404: model_not_found"),
            (408, "null", true, "HTTP 408: no reason given"),
            (409, "null", true, "HTTP 409: no reason given"),
            (422, "null", false, "HTTP 422: no reason given"),
            (
                429,
                r#"{"type":"requests","code":"rate_limit_exceeded"}"#,
                true,
                "HTTP 429: rate_limit_exceeded",
            ),
            (
                429,
                r#"{"type":"insufficient_quota","code":"insufficient_quota"}"#,
                false,
                "HTTP 429: insufficient_quota",
            ),
            (
                429,
                r#"{"code":"credit_balance_exhausted"}"#,
                false,
                "HTTP 429: credit_balance_exhausted",
            ),
            (500, r#"{"type":"server_error","code":null}"#, true, "HTTP 500: server_error"),
            (503, r#"{"code":"server_is_overloaded"}"#, true, "HTTP 503: server_is_overloaded"),
        ] {
            let failure = refused(status, &[], error);
            assert_eq!((failure.verdict == Verdict::Retry, failure.what.as_str()), (passes, what));
        }
    }

    #[test]
    fn the_headers_name_delay_and_verdict() {
        let failure = refused(429, &[("retry-after", "1")], "{}");
        assert_eq!(failure.verdict, Verdict::RetryAfter(Duration::from_secs(1)));
        assert_eq!(refused(500, &[("x-should-retry", "false")], "{}").verdict, Verdict::Fatal);
        assert_eq!(refused(400, &[("x-should-retry", "true")], "{}").verdict, Verdict::Retry);
    }

    #[test]
    fn the_message_is_not_repeated() {
        let failure = refused(401, &[], r#"{"message":"Incorrect API key provided: sk-ab*yz"}"#);
        assert_eq!(failure.what, "HTTP 401: no reason given");
        assert_eq!(
            refused(400, &[], r#"{"code":"what I said"}"#).what,
            "HTTP 400: no reason given"
        );
        assert_eq!(
            refusal(StatusCode::BAD_GATEWAY, &HeaderMap::new(), b"<html>").verdict,
            Verdict::Retry
        );
    }
}
