//! Streams of the caller's that are read beside one another, each to its end.

use std::future::pending;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

/// Streams that are read at once. More are not read at all.
const MAX_READING: usize = 8;

/// How long a stream may take to come to its end.
const READING_LIMIT: Duration = Duration::from_secs(15);

/// What is being read; each becomes a `T`.
pub(super) struct Reading<T> {
    streams: FuturesUnordered<BoxFuture<'static, Result<T, Elapsed>>>,
}

impl<T: 'static> Reading<T> {
    pub(super) fn new() -> Self {
        Self { streams: FuturesUnordered::new() }
    }

    /// Begins to read a stream; `false` where too many are read already, and this one is not.
    pub(super) fn begin(&mut self, stream: impl Future<Output = T> + Send + 'static) -> bool {
        let has_room = self.streams.len() < MAX_READING;
        if has_room {
            self.streams.push(Box::pin(timeout(READING_LIMIT, stream)));
        }
        has_room
    }

    /// The next that was read, or that did not come to its end in time. Cancel safe.
    pub(super) async fn next(&mut self) -> Result<T, Elapsed> {
        match self.streams.next().await {
            Some(read) => read,
            None => pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use futures_util::FutureExt as _;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_more_than_so_many_are_read_at_once() {
        let mut reading = Reading::new();
        for _ in 1..MAX_READING {
            assert!(reading.begin(pending()));
        }
        assert!(reading.begin(ready("the last")));
        assert!(!reading.begin(ready("one too many")));
        assert_eq!(reading.next().await, Ok("the last"));
        assert!(reading.begin(ready("in its place")));
        assert_eq!(reading.next().await, Ok("in its place"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_without_end_is_given_up() {
        let (mut reading, start) = (Reading::<()>::new(), Instant::now());
        assert!(reading.begin(pending()));
        let given_up = timeout(2 * READING_LIMIT, reading.next()).await;
        assert!(given_up.expect("it does not go on for ever").is_err());
        assert_eq!(start.elapsed().as_secs(), READING_LIMIT.as_secs());
        assert!(reading.next().now_or_never().is_none(), "nothing is read any more");
    }
}
