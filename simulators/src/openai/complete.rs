//! The HTTP side: keys, limits, which answer, and the headers around it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde_json::json;
use tokio::time::Instant;

use super::answer::Answer;
use super::event::{Grid, Head, parts};
use super::refusal::Refusal;
use super::request::{self, Request};
use super::rules;
use super::script::{Fault, Rule, Script};
use crate::fault::{Damage, of_connection};
use crate::log::{Direction, Tap};
use crate::server::{Part, Refused, Reply, World, credential, json, request_id, stream};

/// Largest request body, in bytes.
const BODY_LIMIT: usize = 4 << 20;
/// Marks OpenAI's request ids.
const ID: u8 = 0xa;
/// The `created` of every answer, in Unix seconds: answers must not differ between runs.
const CREATED: u64 = 1_760_000_000;
/// What the rate-limit headers say.
const RATE_LIMITS: [(&str, &str); 6] = [
    ("x-ratelimit-limit-requests", "10000"),
    ("x-ratelimit-remaining-requests", "9999"),
    ("x-ratelimit-reset-requests", "6ms"),
    ("x-ratelimit-limit-tokens", "2000000"),
    ("x-ratelimit-remaining-tokens", "1999000"),
    ("x-ratelimit-reset-tokens", "30ms"),
];

/// What OpenAI's requests share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    requests: AtomicU64,
}

/// A completion on its way: what is known before the body is read.
struct Completion<'w> {
    script: &'w Script,
    number: u64,
    faults: Vec<Fault>,
    damage: Damage,
    tap: Tap,
}

/// Answers any request that is for no other provider; an unknown path gets OpenAI's 404.
pub(crate) async fn answer(
    world: &Arc<World>,
    request: http::Request<Incoming>,
    pace: impl Fn(Option<(usize, Duration)>),
) -> Result<Reply, Refused> {
    let script = &world.script.openai;
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    match (method, path.as_str()) {
        (Method::POST, "/v1/chat/completions") => {
            let number = world.openai.requests.fetch_add(1, Ordering::Relaxed) + 1;
            let (wire, faults) = of_connection(&script.faults, number);
            let tap = world.log.of("openai", number);
            let damage = Damage::new(wire, Instant::now());
            pace(damage.slowness());
            let completion = Completion { script, number, faults, damage, tap };
            completion.answer(request).await
        }
        (Method::GET, "/v1/models") => Ok(match key(request.headers()) {
            Ok(()) => models(script),
            Err(refusal) => refusal.reply(),
        }),
        (method, "/v1/chat/completions" | "/v1/models") => {
            let message = format!("Not allowed to {method} on {path}.");
            let code = Some("method_not_supported");
            Ok(Refusal::plain(405, "invalid_request_error", code, message).reply())
        }
        (method, _) => {
            let message = format!("Invalid URL ({method} {path})");
            Ok(Refusal::plain(404, "invalid_request_error", None, message).reply())
        }
    }
}

impl Completion<'_> {
    async fn answer(self, request: http::Request<Incoming>) -> Result<Reply, Refused> {
        if self.damage.is_refused() {
            return Err(Refused);
        }
        let number = self.number;
        let mut reply = match self.complete(request).await {
            Ok(reply) => reply,
            Err(refusal) => refusal.reply(),
        };
        let id = request_id(ID, number);
        let all = [("x-request-id", id.as_str()), ("openai-version", "2020-10-01")];
        for (name, value) in all.into_iter().chain(RATE_LIMITS) {
            let value = HeaderValue::from_str(value).expect("ids are plain ASCII");
            reply.headers_mut().insert(HeaderName::from_static(name), value);
        }
        Ok(reply)
    }

    async fn complete(self, request: http::Request<Incoming>) -> Result<Reply, Refusal> {
        if let Some((status, retry_after_s)) = self.damage.status() {
            return Err(Refusal::scripted(status, retry_after_s));
        }
        key(request.headers())?;
        let body = Limited::new(request.into_body(), BODY_LIMIT).collect().await;
        let body = body.map_err(|error| {
            Refusal::plain(413, "invalid_request_error", None, error.to_string())
        })?;
        let body = body.to_bytes();
        let request = request::decode(&body)?;
        self.tap.record(Direction::In, &request.user, "request", body.len());
        self.check_model(&request.model)?;
        let chosen = rules::choose(self.script, &request)?;
        let garbled = self.faults.contains(&Fault::InvalidArguments);
        let answer = Answer::new(self.script, chosen.as_ref(), &request, self.number, garbled);
        Ok(self.reply(&request, chosen.map(|it| it.rule), &answer))
    }

    fn check_model(&self, model: &str) -> Result<(), Refusal> {
        let models = &self.script.models;
        if models.is_empty() || models.iter().any(|known| known == model) {
            return Ok(());
        }
        let message =
            format!("The model `{model}` does not exist or you do not have access to it.");
        Err(Refusal { message, ..Refusal::scripted(404, None) })
    }

    fn reply(self, request: &Request, rule: Option<&Rule>, answer: &Answer) -> Reply {
        let grid = Grid {
            first: Instant::now()
                + rule.and_then(|rule| rule.first_token).unwrap_or(self.script.first_token),
            step: rule.and_then(|rule| rule.token).unwrap_or(self.script.token),
        };
        let head = Head {
            id: format!("chatcmpl-{:08}", self.number),
            created: CREATED,
            model: request.model.clone(),
        };
        let parts = parts(&head, answer, request, grid, &self.faults);
        if request.stream {
            return self.streamed(parts);
        }
        let end = parts.last().map_or(grid.first, |part| part.at);
        self.whole(&head, answer, end)
    }

    /// The answer as events.
    fn streamed(self, parts: Vec<Part>) -> Reply {
        let mut reply = Response::new(stream(parts, self.damage, self.tap));
        let kind = HeaderValue::from_static("text/event-stream; charset=utf-8");
        reply.headers_mut().insert(CONTENT_TYPE, kind);
        reply
    }

    /// The answer in one piece, when its last token would have come.
    fn whole(self, head: &Head, answer: &Answer, at: Instant) -> Reply {
        let body = json!({
            "id": head.id,
            "object": "chat.completion",
            "created": head.created,
            "model": head.model,
            "choices": [{
                "index": 0,
                "message": answer.message(),
                "logprobs": null,
                "finish_reason": answer.finish_reason,
            }],
            "usage": answer.usage.value(),
            "service_tier": "default",
            "system_fingerprint": "fp_simulated",
        });
        let part = Part { at, bytes: body.to_string().into(), what: "completion" };
        let mut reply = Response::new(stream(vec![part], self.damage, self.tap));
        let kind = HeaderValue::from_static("application/json");
        reply.headers_mut().insert(CONTENT_TYPE, kind);
        reply
    }
}

/// Refuses a request without a key.
fn key(headers: &HeaderMap) -> Result<(), Refusal> {
    credential(headers, &["bearer"]).map(|_| ()).ok_or_else(Refusal::unauthorized)
}

fn models(script: &Script) -> Reply {
    let names = match script.models.as_slice() {
        [] => vec!["gpt-4.1-mini"],
        models => models.iter().map(String::as_str).collect(),
    };
    let model = |name: &&str| {
        let owner = "voicegraph";
        json!({ "id": name, "object": "model", "created": CREATED, "owned_by": owner })
    };
    let data: Vec<_> = names.iter().map(model).collect();
    json(200, &json!({ "object": "list", "data": data }))
}
