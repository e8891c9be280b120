//! A streamed HTTP body whose parts are known beforehand, each with the instant it is due; the
//! script's faults happen between them.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::unfold;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tokio::time::{Instant, sleep};

use super::socket::until;
use super::{Body, Cut};
use crate::fault::{Damage, Verdict};
use crate::log::{Direction, Tap};

/// A stalled body is cut after this long.
const STALL_LIMIT: Duration = Duration::from_secs(600);
/// What the fault `malformed` sends: an event whose JSON breaks off.
const BROKEN: &[u8] = b"data: {\"choices\":[{\"delta\":\n\n";

/// A part of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// When it is sent.
    pub(crate) at: Instant,
    /// What is sent.
    pub(crate) bytes: Bytes,
    /// Its kind, for the log.
    pub(crate) what: &'static str,
}

/// What is left of a body.
struct Rest {
    parts: VecDeque<Part>,
    damage: Damage,
    tap: Tap,
}

/// A body of `parts`, which are in order of time.
pub(crate) fn stream(parts: Vec<Part>, damage: Damage, tap: Tap) -> Body {
    let rest = Rest { parts: parts.into(), damage, tap };
    let frames = unfold(rest, |mut rest| async move {
        let bytes = rest.next().await?;
        Some((bytes.map(Frame::data), rest))
    });
    StreamBody::new(frames).boxed_unsync()
}

impl Rest {
    /// The next bytes, when they are due; `None` after the last part, or after a cut.
    async fn next(&mut self) -> Option<Result<Bytes, Cut>> {
        let at = self.parts.front()?.at;
        tokio::select! {
            biased;
            () = until(self.damage.ends_at()) => return self.cut(),
            () = until(Some(at)) => {}
        }
        match self.damage.verdict(Instant::now()) {
            Verdict::Send => {}
            Verdict::Garble => return Some(Ok(Bytes::from_static(BROKEN))),
            Verdict::Cut | Verdict::Close(..) => return self.cut(),
            Verdict::Stall => {
                sleep(STALL_LIMIT).await;
                return self.cut();
            }
        }
        let part = self.parts.pop_front()?;
        self.tap.record(Direction::Out, "", part.what, part.bytes.len());
        Some(Ok(part.bytes))
    }

    fn cut(&mut self) -> Option<Result<Bytes, Cut>> {
        self.parts.clear();
        Some(Err(Cut))
    }
}

impl Drop for Rest {
    /// Says in the log that the client did not want the rest.
    fn drop(&mut self) {
        if !self.parts.is_empty() {
            self.tap.record(Direction::In, "", "cancel", 0);
        }
    }
}
