//! Errors as Cartesia writes them: structured from version 2026-03-01 on, one line before.

use serde_json::{Value, json};

use crate::server::{self, Reply};

/// The first version with structured errors.
const STRUCTURED_SINCE: &str = "2026-03-01";

/// The API version that a client named, `YYYY-MM-DD`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version(String);

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(super) status: u16,
    pub(super) code: Option<String>,
    pub(super) title: String,
    pub(crate) message: String,
}

impl Version {
    /// A version, if it is a date.
    pub(super) fn of(text: &str) -> Option<Self> {
        let shape = text.bytes().map(|byte| if byte.is_ascii_digit() { b'd' } else { byte });
        shape.eq(*b"dddd-dd-dd").then(|| Self(text.to_owned()))
    }

    fn is_structured(&self) -> bool {
        self.0.as_str() >= STRUCTURED_SINCE
    }
}

impl Problem {
    /// A 400.
    pub(super) fn bad(title: &str, message: impl Into<String>) -> Self {
        Self::new(400, None, title, message)
    }

    pub(super) fn new(
        status: u16,
        code: Option<&str>,
        title: &str,
        message: impl Into<String>,
    ) -> Self {
        let (code, title) = (code.map(str::to_owned), title.to_owned());
        Self { status, code, title, message: message.into() }
    }

    /// Too many contexts at a time.
    pub(super) fn too_many() -> Self {
        let (code, title) = (Some("concurrency_limited"), "Too many concurrent requests");
        Self::new(429, code, title, "The concurrency limit of your plan is reached.")
    }

    /// What the script asks for by its status alone.
    pub(super) fn scripted(status: u16) -> Self {
        let (code, title) = match status {
            401 => (Some("unauthorized"), "Unauthorized"),
            402 => (Some("payment_required"), "Out of credits"),
            404 => (Some("model_not_found"), "Not found"),
            429 => return Self::too_many(),
            500.. => (None, "Internal server error"),
            _ => (None, "Bad request"),
        };
        Self::new(status, code, title, "The script says so.")
    }

    /// The websocket message.
    pub(super) fn message(
        &self,
        version: &Version,
        request_id: &str,
        context: Option<&str>,
    ) -> Value {
        let mut message = json!({ "type": "error", "done": true, "status_code": self.status });
        if version.is_structured() {
            self.add_to(&mut message, request_id);
        } else {
            message["error"] = json!(format!("{}: {}", self.title, self.message));
        }
        if let Some(context) = context {
            message["context_id"] = json!(context);
        }
        message
    }

    /// The HTTP answer; a client without a version gets the newest form.
    pub(super) fn reply(&self, version: Option<&Version>, request_id: &str) -> Reply {
        if version.is_none_or(Version::is_structured) {
            let mut body = json!({});
            self.add_to(&mut body, request_id);
            return server::json(self.status, &body);
        }
        server::text(self.status, format!("{}: {}", self.title, self.message))
    }

    fn add_to(&self, object: &mut Value, request_id: &str) {
        object["error_code"] = json!(self.code);
        object["title"] = json!(self.title);
        object["message"] = json!(self.message);
        object["request_id"] = json!(request_id);
        object["doc_url"] = json!("https://docs.cartesia.ai/api-reference/errors");
    }
}
