//! Errors as OpenAI writes them.

use http::HeaderValue;
use http::header::RETRY_AFTER;
use serde_json::{Value, json};

use crate::server::{self, Reply};

/// An error answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(super) status: u16,
    pub(super) kind: &'static str,
    pub(super) code: Option<&'static str>,
    pub(super) param: Option<String>,
    pub(crate) message: String,
    pub(super) retry_after_s: Option<u64>,
}

impl Refusal {
    /// A 400 about `param`.
    pub(super) fn bad(param: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status: 400,
            kind: "invalid_request_error",
            code: None,
            param: Some(param.into()),
            message: message.into(),
            retry_after_s: None,
        }
    }

    /// An error about nothing that the request said.
    pub(super) fn plain(
        status: u16,
        kind: &'static str,
        code: Option<&'static str>,
        message: impl Into<String>,
    ) -> Self {
        let param = None;
        Self { status, kind, code, param, message: message.into(), retry_after_s: None }
    }

    /// The same 400 with a code.
    pub(super) fn with_code(self, code: &'static str) -> Self {
        Self { code: Some(code), ..self }
    }

    /// No key, or one that is not known.
    pub(super) fn unauthorized() -> Self {
        let message = "Incorrect API key provided.";
        Self::plain(401, "invalid_request_error", Some("invalid_api_key"), message)
    }

    /// The documented error for a status that the script asks for.
    pub(super) fn scripted(status: u16, retry_after_s: Option<u64>) -> Self {
        let refusal = match status {
            400 => Self::plain(400, "invalid_request_error", None, "Bad request."),
            401 => Self::unauthorized(),
            402 => Self::plain(402, "insufficient_quota", Some("credit_balance_exhausted"), QUOTA),
            403 => Self::plain(403, "invalid_request_error", None, "You have no access."),
            404 => {
                let message = "The model does not exist or you do not have access to it.";
                Self::plain(404, "invalid_request_error", Some("model_not_found"), message)
            }
            429 => Self::plain(429, "requests", Some("rate_limit_exceeded"), "Rate limit reached."),
            503 => {
                let code = Some("server_is_overloaded");
                Self::plain(503, "service_unavailable_error", code, "The server is overloaded.")
            }
            _ => Self::plain(status, "server_error", None, "The server had an error."),
        };
        Self { retry_after_s, ..refusal }
    }

    /// The body.
    pub(super) fn body(&self) -> Value {
        json!({ "error": {
            "message": self.message,
            "type": self.kind,
            "param": self.param,
            "code": self.code,
        } })
    }

    /// The whole answer.
    pub(super) fn reply(&self) -> Reply {
        let mut reply = server::json(self.status, &self.body());
        if let Some(seconds) = self.retry_after_s {
            reply.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        reply
    }
}

const QUOTA: &str = "You exceeded your current quota, please check your plan and billing details.";
