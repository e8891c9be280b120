//! Bytes of an event stream in, the data of each event out.
//!
//! The grammar is the `eventsource-stream` crate's. This adds what it lacks: version 0.2.3 panics
//! on a byte order mark, so the mark is taken off before.

use std::mem;

use bytes::Bytes;
use eventsource_stream::{EventStreamError, Eventsource};
use futures_util::{Stream, StreamExt, TryStreamExt};

use crate::provider::Failure;

/// The data of each event. A last event that no blank line ends is dropped, as the standard asks.
pub(super) fn events<S>(bytes: S) -> impl Stream<Item = Result<String, Failure>> + Send
where
    S: Stream<Item = Result<Bytes, Failure>> + Send,
{
    let mut start = Start::default();
    let events = bytes.map_ok(move |bytes| start.pass(bytes)).eventsource();
    events.map(|event| event.map(|event| event.data).map_err(failure))
}

fn failure(error: EventStreamError<Failure>) -> Failure {
    match error {
        EventStreamError::Transport(failure) => failure,
        EventStreamError::Utf8(_) => Failure::retry("the answer is not UTF-8"),
        EventStreamError::Parser(_) => Failure::retry("the answer is no event stream"),
    }
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The start of a stream: replaces a byte order mark, which may come in pieces, by a line break,
/// and prepends one where there is no mark, so that the parser never looks for one.
#[derive(Debug, Default)]
struct Start {
    held: Vec<u8>,
    over: bool,
}

impl Start {
    fn pass(&mut self, bytes: Bytes) -> Bytes {
        if self.over {
            return bytes;
        }
        self.held.extend_from_slice(&bytes);
        if self.held.len() < BYTE_ORDER_MARK.len() && BYTE_ORDER_MARK.starts_with(&self.held) {
            return Bytes::new();
        }
        self.over = true;
        let held = mem::take(&mut self.held);
        let text = held.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&held);
        [b"\n", text].concat().into()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use proptest::prelude::*;

    use super::*;

    fn read(pieces: Vec<Vec<u8>>) -> Vec<Result<String, Failure>> {
        let pieces = stream::iter(pieces.into_iter().map(|piece| Ok(Bytes::from(piece))));
        futures_util::FutureExt::now_or_never(events(pieces).collect())
            .expect("the pieces are all there")
    }

    fn check(text: &str, expected: &[&str]) {
        let read: Result<Vec<String>, Failure> =
            read(vec![text.as_bytes().to_vec()]).into_iter().collect();
        assert_eq!(read.expect(text), expected, "{text:?}");
    }

    #[test]
    fn reads_every_form_that_the_reference_lists() {
        check("data: a\n\ndata: b\n\n", &["a", "b"]);
        check("data: a\r\n\r\ndata: b\r\n\r\n", &["a", "b"]);
        check("data: a\r\rdata: b\r\r\n", &["a", "b"]);
        check(": keep alive\n\ndata: a\n\n: keep alive\n\n", &["a"]);
        check("data: a\ndata: b\n\n", &["a\nb"]);
        check("data:a\n\ndata:  b\n\n", &["a", " b"]);
        check("event: x\nid: 1\nretry: 5\ndata: a\n\n", &["a"]);
        check("data: a\n\ndata: cut", &["a"]);
        check("", &[]);
    }

    #[test]
    fn a_byte_order_mark_is_taken_off() {
        check("\u{feff}data: a\n\n", &["a"]);
        let pieces = vec![vec![0xef], vec![0xbb], vec![0xbf], b"data: a\n\n".to_vec()];
        assert_eq!(read(pieces), [Ok("a".to_owned())]);
        check("\u{feff}\u{feff}data: a\n\n", &[]);
    }

    #[test]
    fn what_is_not_utf8_is_a_failure() {
        let read = read(vec![b"data: a\n\n".to_vec(), b"data: \xff\n\n".to_vec()]);
        assert_eq!(read, [Ok("a".to_owned()), Err(Failure::retry("the answer is not UTF-8"))]);
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_events(
            lines in prop::collection::vec(".{0,12}", 1..6),
            ends in prop::sample::select(vec!["\n", "\r\n"]),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let text: String = lines
                .iter()
                .map(|line| line.replace(['\r', '\n'], "ß"))
                .map(|line| format!("data: {line}€{ends}{ends}"))
                .collect();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let pieces = cuts.windows(2).map(|cut| text.as_bytes()[cut[0]..cut[1]].to_vec());
            let whole = read(vec![text.as_bytes().to_vec()]);
            prop_assert_eq!(read(pieces.collect()), whole.clone());
            prop_assert_eq!(whole.len(), lines.len());
        }

        #[test]
        fn no_bytes_panic(pieces in prop::collection::vec(any::<Vec<u8>>(), 0..8)) {
            read(pieces);
        }
    }
}
