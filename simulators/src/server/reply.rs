//! HTTP answers: their body type, the short ways to make one, and the two ways not to answer.

use std::convert::Infallible;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use serde_json::Value;
use thiserror::Error;

/// A body, whole or streamed.
pub(crate) type Body = UnsyncBoxBody<Bytes, Cut>;
/// An answer.
pub(crate) type Reply = Response<Body>;

/// The script drops the connection in the middle of an answer.
#[derive(Debug, Error)]
#[error("cut by the script")]
pub(crate) struct Cut;

/// The script closes the connection before answering.
#[derive(Debug, Error)]
#[error("refused by the script")]
pub(crate) struct Refused;

/// An answer in JSON.
pub(crate) fn json(status: u16, body: &Value) -> Reply {
    with_type(status, "application/json", body.to_string())
}

/// An answer in plain text.
pub(crate) fn text(status: u16, body: String) -> Reply {
    with_type(status, "text/plain; charset=utf-8", body)
}

fn with_type(status: u16, kind: &'static str, body: String) -> Reply {
    let body = Full::new(Bytes::from(body)).map_err(|never: Infallible| match never {});
    let mut reply = Response::new(body.boxed_unsync());
    *reply.status_mut() = StatusCode::from_u16(status).expect("statuses are 100 to 599");
    reply.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static(kind));
    reply
}

/// The id of a provider's n-th request, in the form of a UUID.
pub(crate) fn request_id(provider: u8, number: u64) -> String {
    format!("{provider:08x}-0000-4000-8000-{number:012x}")
}
