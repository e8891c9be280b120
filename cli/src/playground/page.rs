//! The page's files, as Vite made them of `playground/src`: committed, compiled in, and so there
//! without Node.

use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use include_dir::{Dir, include_dir};

use super::policy::Policy;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../playground/dist");

/// The page itself may be another after the next start.
const FRESH: HeaderValue = HeaderValue::from_static("no-cache");

/// The name of an asset holds a hash of its content: another content is another name.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// What a page gets besides its policy.
const HARDENING: [(&str, &str); 4] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("permissions-policy", "microphone=(self), camera=(), geolocation=()"),
];

pub(super) async fn page(State(policy): State<Policy>) -> Response {
    let policy = [(header::CONTENT_SECURITY_POLICY, policy.header())];
    (HARDENING, policy, file("index.html", FRESH)).into_response()
}

pub(super) async fn asset(Path(name): Path<String>) -> Response {
    (HARDENING, file(&format!("assets/{name}"), FOREVER)).into_response()
}

fn file(path: &str, cache: HeaderValue) -> Response {
    let Some(file) = FILES.get_file(path) else {
        return (StatusCode::NOT_FOUND, "the page has no such file\n").into_response();
    };
    let media_type = HeaderValue::from_static(media_type(path));
    let headers = [(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, cache)];
    (headers, file.contents()).into_response()
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}
