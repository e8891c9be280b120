//! Tracks that are muted and unmuted, unpublished and published again.

use livekit::prelude::*;
use voicegraph_tests::livekit::{Voice, record};
use voicegraph_tests::sdk_peer::{Event, SdkPeer};
use voicegraph_tests::sound::Sound;
use voicegraph_tests::tone::Tone;

use crate::stage::{Stage, against_both};

const RATE_HZ: u32 = 16_000;

/// What is recorded to see whether there is sound; what came before has passed after the first
/// part.
const LISTEN_MS: u64 = 1_500;
const PASSED_MS: u64 = 700;

against_both!(
    a_muted_track_is_silent,
    a_muted_track_of_the_sdk_is_silent,
    a_track_is_published_again,
    a_track_of_the_sdk_is_published_again,
);

/// A tone for longer than any test listens.
fn long(frequency_hz: f64) -> [Sound; 1] {
    [Tone::new(frequency_hz).sound(RATE_HZ, 60_000)]
}

/// The share of what was recorded at last that is the tone; 0 for silence.
fn share(recorded: &[Sound], frequency_hz: f64) -> f64 {
    let end = recorded[0].part(PASSED_MS, LISTEN_MS);
    if end.loudness() < 100.0 {
        return 0.0;
    }
    Tone::new(frequency_hz).measure(&end).map_or(0.0, |heard| heard.typical_purity)
}

async fn bob_hears(bob: &SdkPeer, track: &str, frequency_hz: f64) -> f64 {
    share(&bob.record(track, RATE_HZ, 1, LISTEN_MS).await, frequency_hz)
}

async fn ada_hears(track: &RemoteAudioTrack, frequency_hz: f64) -> f64 {
    share(&record(track, RATE_HZ, 1, LISTEN_MS).await, frequency_hz)
}

/// Does `steps` while `sound` is played.
async fn while_played(sound: impl Future<Output = ()>, steps: impl Future<Output = ()>) {
    tokio::select! {
        biased;
        () = steps => {}
        () = sound => panic!("the test outlasts the sound"),
    }
}

async fn a_muted_track_is_silent(stage: Stage) {
    let Stage { ada, bob, .. } = &stage;
    let voice = ada.publish("voice", RATE_HZ, 1).await;
    let [from, track] = ["ada", "voice"].map(ToOwned::to_owned);
    let steps = async {
        assert!(bob_hears(bob, "voice", 440.0).await > 0.99, "it is heard");
        voice.track.mute();
        bob.sees(&Event::TrackMuted { from: from.clone(), track: track.clone() }).await;
        assert!(bob_hears(bob, "voice", 440.0).await == 0.0, "it is muted");
        voice.track.unmute();
        bob.sees(&Event::TrackUnmuted { from, track }).await;
        assert!(bob_hears(bob, "voice", 440.0).await > 0.99, "it is heard again");
    };
    while_played(voice.play(&long(440.0)), steps).await;
}

async fn a_muted_track_of_the_sdk_is_silent(mut stage: Stage) {
    let Stage { ada, bob, .. } = &mut stage;
    bob.publish("voice", RATE_HZ, 1).await;
    let sound = long(440.0);
    let steps = async {
        let track = ada.track("voice").await;
        assert!(ada_hears(&track, 440.0).await > 0.99, "it is heard");
        bob.mute("voice").await;
        let muted = |event| matches!(event, RoomEvent::TrackMuted { .. }).then_some(());
        ada.event("muting", muted).await;
        assert!(ada_hears(&track, 440.0).await == 0.0, "it is muted");
        bob.unmute("voice").await;
        let unmuted = |event| matches!(event, RoomEvent::TrackUnmuted { .. }).then_some(());
        ada.event("unmuting", unmuted).await;
        assert!(ada_hears(&track, 440.0).await > 0.99, "it is heard again");
    };
    while_played(bob.play("voice", &sound), steps).await;
}

async fn a_track_is_published_again(stage: Stage) {
    let Stage { ada, bob, .. } = &stage;
    for frequency_hz in [440.0, 700.0, 1_000.0] {
        let voice: Voice = ada.publish("voice", RATE_HZ, 1).await;
        let [from, track] = ["ada", "voice"].map(ToOwned::to_owned);
        let steps = async {
            bob.sees(&Event::TrackSubscribed { from: from.clone(), track: track.clone() }).await;
            assert!(bob_hears(bob, "voice", frequency_hz).await > 0.99, "it is heard");
        };
        while_played(voice.play(&long(frequency_hz)), steps).await;
        ada.unpublish(&voice).await;
        bob.sees(&Event::TrackUnsubscribed { from, track }).await;
    }
}

async fn a_track_of_the_sdk_is_published_again(mut stage: Stage) {
    let Stage { ada, bob, .. } = &mut stage;
    for frequency_hz in [440.0, 700.0, 1_000.0] {
        bob.publish("voice", RATE_HZ, 1).await;
        let sound = long(frequency_hz);
        let steps = async {
            let track = ada.track("voice").await;
            assert!(ada_hears(&track, frequency_hz).await > 0.99, "it is heard");
        };
        while_played(bob.play("voice", &sound), steps).await;
        bob.unpublish("voice").await;
        let gone = |event| matches!(event, RoomEvent::TrackUnsubscribed { .. }).then_some(());
        ada.event("unpublishing", gone).await;
    }
}
