//! A streamed answer as it comes from the connection.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::{Instant, timeout};
use voicegraph_engine::metrics::{NodeMeter, Usage as Billed};

use super::sse;
use super::wire::{Event, Usage, decode};
use crate::provider::Failure;

/// The most bytes of one answer: with obfuscation and padding, some ten thousand tokens.
const MAX_ANSWER_BYTES: usize = 8 << 20;

/// The events of one answer. Its drop before the end closes the connection, which stops the
/// generation.
pub(super) struct Reply {
    meter: Arc<NodeMeter>,
    /// When the request was written.
    pub(super) requested: Instant,
    events: BoxStream<'static, Result<String, Failure>>,
    usage: Option<Usage>,
}

impl Reply {
    /// The answer in `body` to a request written at `requested`. It must not be silent for longer
    /// than `progress_timeout` while it is waited for. `meter` counts its tokens.
    pub(super) fn new(
        body: Incoming,
        requested: Instant,
        progress_timeout: Duration,
        meter: Arc<NodeMeter>,
    ) -> Self {
        let events = sse::events(bytes(body, progress_timeout)).boxed();
        Self { meter, requested, events, usage: None }
    }

    /// The next event; `None` at the end of the stream.
    ///
    /// # Errors
    /// The stream broke, stalled or reports an error.
    pub(super) async fn next(&mut self) -> Result<Option<Event>, Failure> {
        let Some(data) = self.events.next().await else {
            return Ok(None);
        };
        let event = decode(&data?)?;
        if let Event::Chunk(chunk) = &event {
            self.usage = chunk.usage.or(self.usage);
        }
        Ok(Some(event))
    }
}

/// Some servers repeat the sum so far in each chunk, so it is the last that counts. Of an answer
/// that was broken off the provider says nothing, though it bills it.
impl Drop for Reply {
    fn drop(&mut self) {
        let Some(usage) = self.usage else { return };
        let cached = usage.prompt_tokens_details.and_then(|details| details.cached_tokens);
        self.meter.used(Billed::LlmInputTokens, usage.prompt_tokens);
        self.meter.used(Billed::LlmInputCachedTokens, cached.unwrap_or_default());
        self.meter.used(Billed::LlmOutputTokens, usage.completion_tokens);
    }
}

fn bytes(
    body: Incoming,
    progress_timeout: Duration,
) -> impl Stream<Item = Result<Bytes, Failure>> + Send {
    stream::try_unfold((body, MAX_ANSWER_BYTES), move |(mut body, room)| async move {
        let frame = timeout(progress_timeout, body.frame()).await.map_err(|_| {
            Failure::retry(format!("silent for {} ms in an answer", progress_timeout.as_millis()))
        })?;
        let Some(frame) = frame else {
            return Ok(None);
        };
        let frame = frame.map_err(|error| lost(&error))?;
        let data = frame.into_data().unwrap_or_default();
        let room = room.checked_sub(data.len()).ok_or_else(|| {
            Failure::retry(format!("an answer of more than {MAX_ANSWER_BYTES} bytes"))
        })?;
        Ok(Some((data, (body, room))))
    })
}

/// The failure that an error of the connection stands for.
pub(super) fn lost(error: &hyper::Error) -> Failure {
    Failure::retry(format!("connection lost: {error}"))
}
