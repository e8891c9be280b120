//! The decoders of what the provider sends, for fuzzing: each takes any bytes and must neither
//! panic nor hang. They say what was wrong in words that repeat nothing of it.

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, stream};
use http::{HeaderMap, StatusCode};

use super::{sse, wire};

/// Reads a streamed answer that comes in `pieces`: one result for each event, as the node sees it.
pub fn answer(pieces: &[&[u8]]) -> Vec<Result<(), String>> {
    let pieces: Vec<_> = pieces.iter().map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    let events = sse::events(stream::iter(pieces)).map(|event| {
        let decoded = event.and_then(|data| wire::decode(&data));
        decoded.map(drop).map_err(|failure| failure.what)
    });
    events.collect().now_or_never().expect("the pieces are all there")
}

/// Reads the body of a refusal with `status`; gives what is told of it.
pub fn refusal(status: StatusCode, body: &[u8]) -> String {
    wire::refusal(status, &HeaderMap::new(), body).what
}
