//! Sound between two connections of ours, over real sockets.

#[expect(dead_code, reason = "other tests use the rest of it")]
mod support;
#[path = "support/tone.rs"]
mod tone;

use std::time::Duration;

use futures_util::StreamExt as _;
use libwebrtc::audio_source::native::NativeAudioSource;
use libwebrtc::audio_stream::native::{NativeAudioStream, NativeAudioStreamOptions};
use libwebrtc::media_stream_track::RtcTrackState;
use libwebrtc::peer_connection::{OfferOptions, TrackEvent};
use libwebrtc::peer_connection_factory::native::PeerConnectionFactoryExt;
use libwebrtc::prelude::*;
use libwebrtc::rtp_parameters::RtpEncodingParameters;
use libwebrtc::rtp_sender::RtpSender;
use libwebrtc::stats::RtcStats;
use support::{Peer, connect, negotiate, within};
use tone::{Heard, Tone, hear, silence};

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

/// Two peers, the first sending a track; what feeds it, and what the second hears of it.
struct OneWay {
    a: Peer,
    b: Peer,
    source: NativeAudioSource,
    track: RtcAudioTrack,
    sender: RtpSender,
    heard: TrackEvent,
}

impl OneWay {
    async fn new(rate_hz: u32, channels: u32) -> Self {
        let (a, mut b) = (Peer::new(), Peer::new());
        let (source, track) = fed("tone", rate_hz, channels);
        let added = a.connection.add_transceiver(track.clone().into(), sending());
        let added = added.expect("there is room for a section");
        connect(&a, &b).await;
        let heard = b.track().await;
        Self { a, b, source, track, sender: added.sender(), heard }
    }

    fn remote(&self) -> RtcAudioTrack {
        audio(self.heard.track.clone())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_muted_track_is_silent_until_it_is_opened() {
    let call = OneWay::new(48_000, 1).await;
    let _tone = Tone::feed(&call.source, 440.0);
    check(hear(&call.remote(), 48_000, 1, 440.0).await);
    assert!(call.track.set_enabled(false));
    within("silence", silence(&call.remote())).await;
    assert!(call.track.set_enabled(true));
    check(hear(&call.remote(), 48_000, 1, 440.0).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_track_that_is_removed_ends_and_can_be_sent_again() {
    let mut call = OneWay::new(24_000, 1).await;
    let _tone = Tone::feed(&call.source, 440.0);
    let remote = call.remote();
    check(hear(&remote, 48_000, 1, 440.0).await);
    let mut stream = NativeAudioStream::new(remote.clone(), 48_000, 1);
    call.a.connection.remove_track(call.sender.clone()).unwrap();
    negotiate(&call.a, &call.b, OfferOptions::default()).await;
    within("the end of the stream", async { while stream.next().await.is_some() {} }).await;
    assert_eq!(remote.state(), RtcTrackState::Ended);
    call.a.connection.add_transceiver(call.track.clone().into(), sending()).unwrap();
    negotiate(&call.a, &call.b, OfferOptions::default()).await;
    let again = audio(call.b.track().await.track);
    check(hear(&again, 48_000, 1, 440.0).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_track_outlives_its_connection() {
    let call = OneWay::new(16_000, 1).await;
    let _tone = Tone::feed(&call.source, 440.0);
    let mut stream = NativeAudioStream::new(call.remote(), 16_000, 1);
    within("sound", stream.next()).await.expect("the track lives");
    call.a.connection.close();
    call.b.connection.close();
    within("the end of the stream", async { while stream.next().await.is_some() {} }).await;
    let OneWay { track, .. } = call;
    let (a, mut b) = (Peer::new(), Peer::new());
    a.connection.add_transceiver(track.into(), sending()).unwrap();
    connect(&a, &b).await;
    let again = audio(b.track().await.track);
    check(hear(&again, 16_000, 1, 440.0).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_who_listens_hears_all_of_it_at_a_rate_of_their_own() {
    let call = OneWay::new(48_000, 1).await;
    let _tone = Tone::feed(&call.source, 440.0);
    let remote = call.remote();
    let (low, middle, high) = tokio::join!(
        hear(&remote, 8_000, 1, 440.0),
        hear(&remote, 24_000, 1, 440.0),
        hear(&remote, 44_100, 2, 440.0),
    );
    check(low);
    check(middle);
    check(high);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_listen_in_time_misses_the_oldest() {
    const WAITING: usize = 5;
    let call = OneWay::new(48_000, 1).await;
    let options = NativeAudioStreamOptions { queue_size_frames: Some(WAITING) };
    let mut slow = NativeAudioStream::with_options(call.remote(), 48_000, 1, options);
    let mut clock = NativeAudioStream::new(call.remote(), 48_000, 1);
    for _ in 0..4 * WAITING {
        within("a frame", clock.next()).await.expect("the track lives");
    }
    let mut waiting = 0;
    while let Ok(frame) = tokio::time::timeout(Duration::ZERO, slow.next()).await {
        frame.expect("the track lives");
        waiting += 1;
    }
    assert!((WAITING..=WAITING + 1).contains(&waiting), "{waiting}");
    slow.close();
    assert!(slow.next().await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_local_track_and_a_shape_of_no_sound_end_at_once() {
    let call = OneWay::new(48_000, 1).await;
    for (track, rate, channels) in
        [(call.track.clone(), 48_000, 1), (call.remote(), -1, 1), (call.remote(), 48_000, 0)]
    {
        let mut stream = NativeAudioStream::new(track, rate, channels);
        assert!(stream.next().await.is_none());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_tell_what_was_sent_and_heard() {
    let call = OneWay::new(48_000, 1).await;
    let _tone = Tone::feed(&call.source, 440.0);
    check(hear(&call.remote(), 48_000, 1, 440.0).await);
    let sent = within("the peer's report", async {
        loop {
            let sent = call.sender.get_stats().await.unwrap();
            let told = |it: &RtcStats| {
                matches!(it, RtcStats::RemoteInboundRtp(it) if it.round_trip_time.is_some())
            };
            if sent.iter().any(told) {
                return sent;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    let level = sent.iter().find_map(|it| match it {
        RtcStats::MediaSource(it) => it.audio_level,
        _ => None,
    });
    // The root of the mean square of a sine of 8 000, against the loudest there is.
    assert!((level.unwrap() - 0.173).abs() < 0.02, "{level:?}");
    let packets = sent.iter().find_map(|it| match it {
        RtcStats::OutboundRtp(it) => Some(it.packets_sent),
        _ => None,
    });
    let received = call.heard.receiver.get_stats().await.unwrap();
    let inbound = received.iter().find_map(|it| match it {
        RtcStats::InboundRtp(it) => Some(it.clone()),
        _ => None,
    });
    let inbound = inbound.unwrap();
    assert!(packets.unwrap() >= 50 && inbound.packets_received >= 50, "{packets:?} {inbound:?}");
    assert!(inbound.total_samples_received >= 48_000, "{inbound:?}");
    assert!((inbound.total_audio_energy.unwrap() / 0.03) > 0.9, "{inbound:?}");
    assert!(inbound.jitter < 0.1 && inbound.packets_lost == 0, "{inbound:?}");
    assert!(
        received.iter().any(|it| matches!(it, RtcStats::Codec(it) if it.mime_type == "audio/opus"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_takes_another_track_and_another_bitrate() {
    let call = OneWay::new(48_000, 1).await;
    let _tone = Tone::feed(&call.source, 440.0);
    check(hear(&call.remote(), 48_000, 1, 440.0).await);
    let (source, track) = fed("other", 16_000, 1);
    let _other = Tone::feed(&source, 600.0);
    call.sender.set_track(Some(track.into())).unwrap();
    check(hear(&call.remote(), 48_000, 1, 600.0).await);
    let mut parameters = call.sender.parameters();
    let layer = RtpEncodingParameters { max_bitrate: Some(24_000), ..Default::default() };
    parameters.encodings = vec![layer];
    call.sender.set_parameters(parameters).unwrap();
    within("the bitrate", async {
        loop {
            let stats = call.sender.get_stats().await.unwrap();
            let aim = |it: &RtcStats| {
                matches!(it, RtcStats::OutboundRtp(it) if it.target_bitrate == Some(24_000.0))
            };
            if stats.iter().any(aim) {
                return;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    call.sender.set_track(None).unwrap();
    within("silence", silence(&call.remote())).await;
}
