//! A streamed answer as it comes from the connection.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::{Instant, timeout};

use super::sse;
use super::wire::{Event, Usage, decode};
use crate::provider::Failure;

/// The most bytes of one answer: with obfuscation and padding, some ten thousand tokens.
const MAX_ANSWER_BYTES: usize = 8 << 20;

/// The events of one answer. Its drop before the end closes the connection, which stops the
/// generation.
pub(super) struct Reply {
    /// When the request was written.
    pub(super) requested: Instant,
    events: BoxStream<'static, Result<String, Failure>>,
    usage: Option<Usage>,
}

impl Reply {
    /// The answer in `body` to a request written at `requested`. It must not be silent for longer
    /// than `progress_timeout` while it is waited for.
    pub(super) fn new(body: Incoming, requested: Instant, progress_timeout: Duration) -> Self {
        let events = sse::events(bytes(body, progress_timeout)).boxed();
        Self { requested, events, usage: None }
    }

    /// The next event; `None` at the end of the stream.
    ///
    /// # Errors
    /// The stream broke, stalled or reports an error.
    pub(super) async fn next(&mut self) -> Result<Option<Event>, Failure> {
        let Some(data) = self.events.next().await else {
            self.log_usage();
            return Ok(None);
        };
        let event = decode(&data?)?;
        if let Event::Chunk(chunk) = &event {
            self.usage = chunk.usage.or(self.usage);
        }
        Ok(Some(event))
    }

    fn log_usage(&mut self) {
        if let Some(Usage { prompt_tokens, completion_tokens }) = self.usage.take() {
            tracing::debug!(prompt_tokens, completion_tokens, "answer complete");
        }
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
