//! What a caller said before the agent came: the client records it and sends it as a byte stream.
//!
//! In comes a stream of the topic [`TOPIC`]; out goes sound as the graph takes it. Clients for
//! Swift and Android send 16-bit PCM. Browsers send WebM with Opus, which cannot be read here: it
//! is refused, and the call begins with what is said from then on.

use std::num::NonZeroU32;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use livekit::data_stream::api::{ByteStreamReader, StreamReader as _};
use voicegraph_engine::message::AudioFrame;
use voicegraph_engine::transport::Resampler;

/// The topic of recordings.
pub(super) const TOPIC: &str = "lk.agent.pre-connect-audio-buffer";

/// The most that a recording may have, in bytes: 10 s of 48 kHz in stereo.
const LONGEST: usize = 10 * 48_000 * 2 * 2;

/// What is read of it at most, in samples of the graph's rate: the last 6 s.
const KEPT: usize = 6 * 16_000;

/// The sound of a recording: i16, mono, 16 kHz.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Recording {
    /// The track that it comes before.
    pub(super) track: String,
    pub(super) samples: Vec<i16>,
}

/// Why a recording is not played.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    /// A stream whose attributes do not say what it holds.
    #[error("attribute {0:?} is missing or out of its range")]
    Attribute(&'static str),
    /// Not PCM.
    #[error("it is {0:?}; only 16-bit PCM can be read")]
    Encoded(String),
    /// Too much of it.
    #[error("it has more than {LONGEST} bytes")]
    TooLong,
    /// The stream ended early.
    #[error("it broke off")]
    BrokeOff,
}

/// Reads a stream to its end.
pub(super) async fn read(mut reader: ByteStreamReader) -> Result<Recording, Unreadable> {
    let bytes = gather(&mut reader).await?;
    let info = reader.info();
    let attributes = info.attributes();
    let attribute = |name: &'static str| attributes.get(name).ok_or(Unreadable::Attribute(name));
    let track = attribute("trackId")?.clone();
    let number = |name| attribute(name)?.parse().map_err(|_| Unreadable::Attribute(name));
    let form = Form { rate_hz: number("sampleRate")?, channels: number("channels")? };
    let samples = decode(&bytes, &info.mime_type, form)?;
    Ok(Recording { track, samples })
}

/// Puts the pieces of a stream together, and stops where they become too much.
async fn gather<E>(
    mut chunks: impl Stream<Item = Result<Bytes, E>> + Unpin,
) -> Result<Vec<u8>, Unreadable> {
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.next().await {
        bytes.extend_from_slice(&chunk.map_err(|_| Unreadable::BrokeOff)?);
        if bytes.len() > LONGEST {
            return Err(Unreadable::TooLong);
        }
    }
    Ok(bytes)
}

/// The form of PCM.
#[derive(Clone, Copy)]
pub(crate) struct Form {
    pub(crate) rate_hz: u32,
    pub(crate) channels: u32,
}

pub(crate) fn decode(bytes: &[u8], mime_type: &str, form: Form) -> Result<Vec<i16>, Unreadable> {
    let [webm, ogg] = [&[0x1a, 0x45, 0xdf, 0xa3][..], b"OggS"];
    if mime_type.contains("opus") || mime_type.contains("webm") || bytes.starts_with(webm) {
        return Err(Unreadable::Encoded(mime_type.to_owned()));
    }
    if bytes.starts_with(ogg) {
        return Err(Unreadable::Encoded("audio/ogg".to_owned()));
    }
    let rate = NonZeroU32::new(form.rate_hz).filter(|rate| (8_000..=48_000).contains(&rate.get()));
    let rate = rate.ok_or(Unreadable::Attribute("sampleRate"))?;
    let channels = match form.channels {
        channels @ (1 | 2) => channels as usize,
        _ => return Err(Unreadable::Attribute("channels")),
    };
    let mono: Vec<i16> = bytes.chunks_exact(2 * channels).map(mix).collect();
    let mut samples = Resampler::all(rate, AudioFrame::CALLER_RATE_HZ, &mono);
    samples.drain(..samples.len().saturating_sub(KEPT));
    Ok(samples)
}

/// The mean of a sample's channels.
fn mix(bytes: &[u8]) -> i16 {
    let channel = |bytes: &[u8]| i16::from_le_bytes([bytes[0], bytes[1]]);
    match bytes.split_at(2) {
        (left, []) => channel(left),
        (left, right) => i16::midpoint(channel(left), channel(right)),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use futures_util::stream::{iter, pending};

    use super::*;

    const STEREO: Form = Form { rate_hz: 48_000, channels: 2 };

    #[test]
    fn pcm_becomes_the_graphs_sound() {
        let bytes: Vec<u8> = (0..48_000).flat_map(|_| [232, 3, 208, 7]).collect();
        let samples = decode(&bytes, "application/octet-stream", STEREO).expect("it is PCM");
        assert_eq!(samples.len(), 16_000);
        let middle = samples[8_000];
        assert!((1_490..=1_510).contains(&middle), "the mean of 1000 and 2000: {middle}");
    }

    /// Chunks of a size that clients send, so many bytes of them, and no end.
    fn chunks(bytes: usize) -> impl Stream<Item = Result<Bytes, ()>> + Unpin {
        const CHUNK: usize = 15_000;
        let sizes = (0..bytes).step_by(CHUNK).map(move |at| CHUNK.min(bytes - at));
        iter(sizes.map(|size| Ok(vec![1; size].into())))
    }

    #[test]
    fn a_recording_may_be_so_long_and_no_longer() {
        let whole = gather(chunks(LONGEST)).now_or_never().expect("it ends");
        assert_eq!(whole.map(|bytes| bytes.len()), Ok(LONGEST));
        let endless = gather(chunks(LONGEST + 1).chain(pending())).now_or_never();
        assert_eq!(endless, Some(Err(Unreadable::TooLong)), "its end is not waited for");
    }

    #[test]
    fn a_recording_that_breaks_off_is_not_played() {
        let broken = chunks(30_000).chain(iter([Err(())]));
        assert_eq!(gather(broken).now_or_never(), Some(Err(Unreadable::BrokeOff)));
    }

    #[test]
    fn only_the_last_seconds_are_kept() {
        let bytes = vec![1; 2 * 16_000 * 8];
        let form = Form { rate_hz: 16_000, channels: 1 };
        assert_eq!(decode(&bytes, "", form).expect("it is PCM").len(), KEPT);
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let refused = |bytes: &[u8], mime_type, form| {
            decode(bytes, mime_type, form).expect_err("it is refused")
        };
        let webm = [0x1a, 0x45, 0xdf, 0xa3, 0, 0, 0, 0];
        assert!(matches!(refused(&webm, "", STEREO), Unreadable::Encoded(_)));
        assert!(matches!(refused(b"OggS", "", STEREO), Unreadable::Encoded(_)));
        assert!(matches!(refused(&[0; 4], "audio/opus", STEREO), Unreadable::Encoded(_)));
        let form = |rate_hz, channels| Form { rate_hz, channels };
        assert_eq!(refused(&[], "", form(0, 1)), Unreadable::Attribute("sampleRate"));
        assert_eq!(refused(&[], "", form(8_000, 3)), Unreadable::Attribute("channels"));
    }
}
