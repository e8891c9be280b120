//! Sound between two connections of ours, over real sockets.

#[expect(dead_code, reason = "other tests use the rest of it")]
mod support;
#[path = "support/tone.rs"]
mod tone;

use libwebrtc::audio_source::native::NativeAudioSource;
use libwebrtc::peer_connection_factory::native::PeerConnectionFactoryExt;
use libwebrtc::prelude::*;
use support::{Peer, connect, negotiate};
use tone::{Heard, Tone, hear};

/// A source, and a track that it feeds.
fn fed(id: &str, rate_hz: u32, channels: u32) -> (NativeAudioSource, RtcAudioTrack) {
    let source = NativeAudioSource::new(AudioSourceOptions::default(), rate_hz, channels, 100);
    let track = PeerConnectionFactory::default().create_audio_track(id, source.clone());
    (source, track)
}

fn sending() -> RtpTransceiverInit {
    let direction = RtpTransceiverDirection::SendOnly;
    RtpTransceiverInit { direction, stream_ids: vec!["s".to_owned()], send_encodings: Vec::new() }
}

fn audio(track: MediaStreamTrack) -> RtcAudioTrack {
    match track {
        MediaStreamTrack::Audio(track) => track,
        MediaStreamTrack::Video(_) => panic!("a picture"),
    }
}

fn check(heard: Heard) {
    assert!(heard.purity > 0.99 && (0.9..1.1).contains(&heard.level), "{heard:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tones_are_heard_both_ways() {
    for (rate, other) in [(8_000, 48_000), (24_000, 16_000)] {
        let (mut a, mut b) = (Peer::new(), Peer::new());
        let (source, track) = fed("ours", rate, 1);
        a.connection.add_transceiver(track.into(), sending()).unwrap();
        connect(&a, &b).await;
        let ours = b.track().await;
        let _tone = Tone::feed(&source, 440.0);
        let (source, track) = fed("theirs", other, 1);
        b.connection.add_transceiver(track.into(), sending()).unwrap();
        negotiate(&b, &a, OfferOptions::default()).await;
        let theirs = a.track().await;
        let _back = Tone::feed(&source, 600.0);
        let (ours, theirs) = (audio(ours.track), audio(theirs.track));
        let (there, back) =
            tokio::join!(hear(&ours, rate, 1, 440.0), hear(&theirs, other, 1, 600.0));
        check(there);
        check(back);
    }
}
