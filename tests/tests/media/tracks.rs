//! Tracks of two guests of our own: tones both ways over one connection and over two, tracks that
//! come and go, mute, stereo, a resumed and a new connection.

use std::sync::Arc;

use livekit::SimulateScenario;
use livekit::prelude::*;
use livekit::webrtc::media_stream_track::RtcTrackState;
use tokio::task::JoinHandle;
use voicegraph_tests::again::Tries;
use voicegraph_tests::livekit::{Guest, Server, Version, Voice, record, within};
use voicegraph_tests::tone::{Heard, Tone};

/// How long a tone is played: longer than any of these tests takes.
const LENGTH_MS: u64 = 60_000;

/// What is recorded.
const RECORDING_MS: u64 = 1_800;

/// What is recorded at a time until the tone is there.
const STEP_MS: u64 = 100;

/// Second tries of recordings in which the machine left marks.
static TRIES: Tries = Tries::none();

/// A track that carries a tone until this is dropped.
struct Playing {
    voice: Arc<Voice>,
    task: JoinHandle<()>,
}

impl Drop for Playing {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn play(guest: &Guest, name: &str, rate_hz: u32, channels: u32, tone: Tone) -> Playing {
    let voice = Arc::new(guest.publish(name, rate_hz, channels).await);
    let sound = vec![tone.sound(rate_hz, LENGTH_MS); channels as usize];
    let mouth = voice.clone();
    let task = tokio::spawn(async move { mouth.play(&sound).await });
    Playing { voice, task }
}

/// Waits until the tone is there, and listens whether it is as it was played. A machine that stands
/// still leaves marks in it.
async fn hear(track: &RemoteAudioTrack, rate_hz: u32, channels: usize, tone: Tone) {
    within("the tone", async {
        while tone.find(&record(track, rate_hz, channels, STEP_MS).await[0]).is_none() {}
    })
    .await;
    loop {
        let sound = record(track, rate_hz, channels, RECORDING_MS).await;
        let heard: Vec<_> = sound.iter().map(|channel| tone.measure(channel)).collect();
        println!("{tone:?} at {rate_hz} Hz: {heard:?}");
        if heard.iter().all(|it| it.is_some_and(|heard| is_good(heard, tone))) {
            return;
        }
        TRIES.again(&format!("{tone:?} at {rate_hz} Hz"), &format!("{heard:?}"));
    }
}

/// Sound that catches up runs up to a hundredth faster or slower.
fn is_good(heard: Heard, tone: Tone) -> bool {
    let detuned = (heard.detuned_hz / tone.frequency_hz).abs();
    heard.silent.is_zero() && heard.purity > 0.95 && heard.level_db.abs() < 1.0 && detuned < 0.01
}

async fn two(server: &Server, room: &str, single: bool) -> (Guest, Guest) {
    let mut options = RoomOptions::default();
    options.single_peer_connection = single;
    let ada = Guest::join_with(server, room, "ada", options.clone()).await;
    let bob = Guest::join_with(server, room, "bob", options).await;
    (ada, bob)
}

fn tones() -> (Tone, Tone) {
    (Tone::new(440.0), Tone::new(600.0))
}

/// Tones both ways, one at each rate, heard at the other's.
async fn both_ways(server: &Server, room: &str, single: bool, rate_hz: u32, other_hz: u32) {
    let (mut ada, mut bob) = two(server, room, single).await;
    let (there, back) = tones();
    let _there = play(&ada, "there", rate_hz, 1, there).await;
    let _back = play(&bob, "back", other_hz, 1, back).await;
    let (heard, answer) = (bob.track("there").await, ada.track("back").await);
    tokio::join!(hear(&heard, other_hz, 1, there), hear(&answer, rate_hz, 1, back));
    ada.leave().await;
    bob.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tones_are_heard_over_one_connection() {
    let Some(server) = Server::shared("tracks: one connection", Version::New) else { return };
    both_ways(server, "tracks-one-wide", true, 48_000, 24_000).await;
    both_ways(server, "tracks-one-narrow", true, 8_000, 16_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tones_are_heard_over_two_connections() {
    let Some(server) = Server::shared("tracks: two connections", Version::New) else { return };
    both_ways(server, "tracks-two-wide", false, 16_000, 48_000).await;
    both_ways(server, "tracks-two-narrow", false, 24_000, 8_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tones_are_heard_by_an_older_server() {
    let Some(server) = Server::shared("tracks: older server", Version::Old) else { return };
    both_ways(server, "tracks-old-wide", true, 24_000, 48_000).await;
    both_ways(server, "tracks-old-narrow", true, 16_000, 8_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tracks_come_and_go() {
    let Some(server) = Server::shared("tracks: come and go", Version::New) else { return };
    for (single, room) in [(true, "tracks-go-one"), (false, "tracks-go-two")] {
        let (ada, mut bob) = two(server, room, single).await;
        for (name, frequency_hz) in [("a", 440.0), ("b", 600.0), ("c", 800.0)] {
            let tone = Tone::new(frequency_hz);
            let playing = play(&ada, name, 48_000, 1, tone).await;
            hear(&bob.track(name).await, 48_000, 1, tone).await;
            ada.unpublish(&playing.voice).await;
            let gone = |it| matches!(it, RoomEvent::TrackUnsubscribed { .. }).then_some(());
            bob.event("the track's end", gone).await;
        }
        // One more at once than there are sections offered beforehand.
        let mut playing = Vec::new();
        for (name, frequency_hz) in [("d", 300.0), ("e", 400.0), ("f", 500.0), ("g", 700.0)] {
            let tone = Tone::new(frequency_hz);
            playing.push(play(&ada, name, 16_000, 1, tone).await);
            hear(&bob.track(name).await, 16_000, 1, tone).await;
        }
        ada.leave().await;
        bob.leave().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_muted_track_is_silent_and_heard_again() {
    let Some(server) = Server::shared("tracks: mute", Version::New) else { return };
    let (ada, mut bob) = two(server, "tracks-mute", true).await;
    let (tone, _) = tones();
    let playing = play(&ada, "tone", 48_000, 1, tone).await;
    let heard = bob.track("tone").await;
    hear(&heard, 48_000, 1, tone).await;
    playing.voice.track.mute();
    let muted = |it| matches!(it, RoomEvent::TrackMuted { .. }).then_some(());
    bob.event("the mute", muted).await;
    within("silence", async {
        while record(&heard, 48_000, 1, 50).await[0].samples.iter().any(|&sample| sample != 0) {}
    })
    .await;
    playing.voice.track.unmute();
    hear(&heard, 48_000, 1, tone).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stereo_is_heard_as_stereo() {
    let Some(server) = Server::shared("tracks: stereo", Version::New) else { return };
    let (ada, mut bob) = two(server, "tracks-stereo", true).await;
    let (tone, _) = tones();
    let _playing = play(&ada, "tone", 48_000, 2, tone).await;
    hear(&bob.track("tone").await, 48_000, 2, tone).await;
}

/// Tones both ways before and after what `scenario` does to the first guest.
async fn survives(suite: &str, single: bool, scenario: SimulateScenario) {
    let Some(server) = Server::shared(suite, Version::New) else { return };
    let (mut ada, mut bob) = two(server, suite, single).await;
    let (there, back) = tones();
    let _there = play(&ada, "there", 24_000, 1, there).await;
    let _back = play(&bob, "back", 24_000, 1, back).await;
    hear(&bob.track("there").await, 24_000, 1, there).await;
    hear(&ada.track("back").await, 24_000, 1, back).await;
    let simulated = within("the scenario", ada.room.simulate_scenario(scenario)).await;
    simulated.expect("it is simulated");
    let back_again = |it| matches!(it, RoomEvent::Reconnected).then_some(());
    ada.event("the connection", back_again).await;
    within("the track", async {
        // The old publication may still be there when the connection is new.
        while bob.track("there").await.rtc_track().state() != RtcTrackState::Live {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let (heard, answer) = (bob.track("there").await, ada.track("back").await);
    tokio::join!(hear(&heard, 24_000, 1, there), hear(&answer, 24_000, 1, back));
    ada.leave().await;
    bob.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tones_go_on_after_the_signalling_was_cut() {
    survives("tracks-resume-one", true, SimulateScenario::SignalReconnect).await;
    survives("tracks-resume-two", false, SimulateScenario::SignalReconnect).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tones_are_back_over_a_new_connection() {
    survives("tracks-anew", true, SimulateScenario::FullReconnect).await;
}
