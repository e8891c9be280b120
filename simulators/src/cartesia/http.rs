//! `POST /tts/bytes` and `POST /tts/sse`: one context that is known from the start, so that all its
//! parts are laid out before the first is sent.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::context::Context;
use super::error::{Problem, Version};
use super::listen::{Guest, marked};
use super::request::{Container, Format, Speak, decode_body};
use super::wire::Message;
use crate::audio::Encoding;
use crate::server::{Part, Refused, Reply, World, stream};

/// Largest request body, in bytes.
const BODY_LIMIT: usize = 1 << 20;

/// Answers a request for one of the two paths.
pub(crate) async fn answer(
    world: &Arc<World>,
    request: Request<Incoming>,
    pace: impl Fn(Option<(usize, Duration)>),
) -> Result<Reply, Refused> {
    let guest = Guest::new(world, &request, pace)?;
    let version = match &guest.version {
        Ok(version) => version.clone(),
        Err((version, problem)) => return Ok(guest.refuse(version.as_ref(), problem)),
    };
    let is_sse = request.uri().path() == "/tts/sse";
    match read(request).await.and_then(|speak| check_container(speak, is_sse)) {
        Ok(speak) => Ok(spoken(world, guest, &version, &speak, is_sse)),
        Err(problem) => Ok(guest.refuse(Some(&version), &problem)),
    }
}

async fn read(request: Request<Incoming>) -> Result<Speak, Problem> {
    if request.method() != Method::POST {
        return Err(Problem::new(405, None, "Method not allowed", "use POST"));
    }
    let body = Limited::new(request.into_body(), BODY_LIMIT).collect().await;
    let body =
        body.map_err(|error| Problem::new(413, None, "Body too large", error.to_string()))?;
    decode_body(&body.to_bytes())
}

fn check_container(speak: Speak, is_sse: bool) -> Result<Speak, Problem> {
    if is_sse && speak.format.container != Container::Raw {
        return Err(Problem::bad("Invalid output format", "container must be raw"));
    }
    Ok(speak)
}

fn spoken(world: &World, guest: Guest, version: &Version, speak: &Speak, is_sse: bool) -> Reply {
    let now = Instant::now();
    let script = world.cartesia.script.clone();
    let id = speak.context.clone();
    let mut context = Context::new(script, guest.faults.clone(), speak.clone(), 1, now);
    if let Err(problem) = context.push(speak, now) {
        return guest.refuse(Some(version), &problem);
    }
    let messages = drain(&mut context);
    let kind = match speak.format.container {
        _ if is_sse => "text/event-stream",
        Container::Raw => "application/octet-stream",
        Container::Wav => "audio/wav",
    };
    let parts = if is_sse {
        let event = |(at, message): (Instant, Message)| {
            let value = message.value(version, &guest.request_id, &id);
            let text = format!("event: {}\ndata: {value}\n\n", message.kind());
            Part { at, bytes: text.into(), what: message.kind() }
        };
        messages.into_iter().map(event).collect()
    } else {
        audio(messages, context.format(), now)
    };
    let id = guest.request_id.clone();
    let mut reply = marked(Response::new(stream(parts, guest.damage, guest.tap)), &id);
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    reply
}

/// All that a context will ever say, each with its instant.
fn drain(context: &mut Context) -> Vec<(Instant, Message)> {
    let mut all = Vec::new();
    while let Some(due) = context.due() {
        all.extend(context.take(due).into_iter().map(|message| (due, message)));
    }
    all
}

/// The audio alone, with a WAV header first where one was asked for.
fn audio(messages: Vec<(Instant, Message)>, format: Format, now: Instant) -> Vec<Part> {
    let at = messages.first().map_or(now, |(at, _)| *at);
    let header = match format.container {
        Container::Raw => None,
        Container::Wav => Some(Part { at, bytes: wav_header(format), what: "header" }),
    };
    let chunks = messages.into_iter().filter_map(|(at, message)| match message {
        Message::Chunk(bytes, _) => Some(Part { at, bytes: bytes.into(), what: "chunk" }),
        _ => None,
    });
    header.into_iter().chain(chunks).collect()
}

/// A WAV header for a stream: its lengths are the largest there are.
fn wav_header(format: Format) -> Bytes {
    let tag: u16 = match format.encoding {
        Encoding::S16le => 1,
        Encoding::F32le => 3,
        Encoding::Alaw => 6,
        Encoding::Mulaw => 7,
    };
    let width = format.encoding.width() as u16;
    let mut header = Vec::with_capacity(44);
    header.extend(b"RIFF");
    header.extend(u32::MAX.to_le_bytes());
    header.extend(b"WAVEfmt ");
    header.extend(16u32.to_le_bytes());
    header.extend(tag.to_le_bytes());
    header.extend(1u16.to_le_bytes());
    header.extend(format.rate_hz.to_le_bytes());
    header.extend((format.rate_hz * u32::from(width)).to_le_bytes());
    header.extend(width.to_le_bytes());
    header.extend((width * 8).to_le_bytes());
    header.extend(b"data");
    header.extend(u32::MAX.to_le_bytes());
    header.into()
}
