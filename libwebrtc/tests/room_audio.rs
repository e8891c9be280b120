//! Sound between two guests in rooms of a real livekit-server, by the unchanged `livekit` crate.

#[path = "support/server.rs"]
mod server;
#[path = "support/tone.rs"]
mod tone;

use std::future::Future;
use std::time::Duration;

use libwebrtc::audio_source::native::NativeAudioSource;
use libwebrtc::prelude::*;
use livekit::options::TrackPublishOptions;
use livekit::prelude::{LocalAudioTrack, LocalTrack, RemoteTrack, Room, RoomEvent, RoomOptions};
use server::{Server, token};
use tokio::sync::mpsc::UnboundedReceiver;
use tone::{Heard, Tone, hear, silence};

/// How long anything may take. Only a failing test waits as long.
const LIMIT: Duration = Duration::from_secs(20);

struct Guest {
    room: Room,
    events: UnboundedReceiver<RoomEvent>,
}

impl Guest {
    async fn join(server: &Server, identity: &str, single: bool) -> Self {
        let mut options = RoomOptions::default();
        options.single_peer_connection = single;
        let token = token("clinic", identity);
        let url = server.url();
        let joined = within("joining", Room::connect(&url, &token, options)).await;
        let (room, events) =
            joined.unwrap_or_else(|error| panic!("{identity}: {error}\n{}", server.said()));
        Self { room, events }
    }

    /// Publishes a track that carries a tone.
    async fn play(
        &self,
        rate_hz: u32,
        channels: u32,
        frequency_hz: f64,
    ) -> (LocalAudioTrack, Tone) {
        let options = AudioSourceOptions::default();
        let source = NativeAudioSource::new(options, rate_hz, channels, 200);
        let track =
            LocalAudioTrack::create_audio_track("tone", RtcAudioSource::Native(source.clone()));
        let local = LocalTrack::Audio(track.clone());
        let participant = self.room.local_participant();
        let published = participant.publish_track(local, TrackPublishOptions::default());
        within("publishing", published).await.expect("the server takes the track");
        (track, Tone::feed(&source, frequency_hz))
    }

    async fn unplay(&self, track: &LocalAudioTrack) {
        let participant = self.room.local_participant();
        let sid = track.sid();
        let gone = participant.unpublish_track(&sid);
        within("unpublishing", gone).await.expect("the track was published");
    }

    /// Waits for an event of that kind.
    async fn event(&mut self, what: &str, is_it: impl Fn(&RoomEvent) -> bool) {
        within(what, async {
            while !is_it(&self.events.recv().await.expect("the room is open")) {}
        })
        .await;
    }

    /// The next track of another guest.
    async fn track(&mut self) -> RtcAudioTrack {
        within("a track", async {
            loop {
                let event = self.events.recv().await.expect("the room is open");
                if let RoomEvent::TrackSubscribed { track: RemoteTrack::Audio(track), .. } = event {
                    return track.rtc_track();
                }
            }
        })
        .await
    }
}

async fn within<T>(what: &str, done: impl Future<Output = T>) -> T {
    let result = tokio::time::timeout(LIMIT, done).await;
    result.unwrap_or_else(|_| panic!("{what} did not come within {LIMIT:?}"))
}

fn check(heard: Heard) {
    assert!(heard.purity > 0.99 && (0.9..1.1).contains(&heard.level), "{heard:?}");
}

/// Tones both ways at that rate, and the other.
async fn both_ways(server: &Server, single: bool, rate_hz: u32, other_hz: u32) {
    let mut ada = Guest::join(server, "ada", single).await;
    let mut bob = Guest::join(server, "bob", single).await;
    let (_track, _tone) = ada.play(rate_hz, 1, 440.0).await;
    let (_back, _tone_back) = bob.play(other_hz, 1, 600.0).await;
    let (there, back) = (bob.track().await, ada.track().await);
    let (there, back) =
        tokio::join!(hear(&there, other_hz, 1, 440.0), hear(&back, rate_hz, 1, 600.0));
    check(there);
    check(back);
    within("leaving", ada.room.close()).await.expect("the room closes");
    within("leaving", bob.room.close()).await.expect("the room closes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tones_are_heard_over_one_connection() {
    let Some(server) = Server::start("room audio: one connection", "1.11.0") else { return };
    both_ways(&server, true, 48_000, 24_000).await;
    both_ways(&server, true, 8_000, 16_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tones_are_heard_over_two_connections() {
    let Some(server) = Server::start("room audio: two connections", "1.11.0") else { return };
    both_ways(&server, false, 16_000, 48_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tones_are_heard_by_an_older_server() {
    let Some(server) = Server::start("room audio: older server", "1.8.4") else { return };
    both_ways(&server, true, 24_000, 8_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_track_is_heard_again_after_a_full_reconnect() {
    let Some(server) = Server::start("room audio: full reconnect", "1.11.0") else { return };
    let mut ada = Guest::join(&server, "ada", true).await;
    let mut bob = Guest::join(&server, "bob", true).await;
    let (_track, _tone) = ada.play(24_000, 1, 440.0).await;
    let (_back, _tone_back) = bob.play(24_000, 1, 600.0).await;
    check(hear(&bob.track().await, 24_000, 1, 440.0).await);
    check(hear(&ada.track().await, 24_000, 1, 600.0).await);
    let scenario = livekit::SimulateScenario::FullReconnect;
    within("the scenario", ada.room.simulate_scenario(scenario)).await.expect("it is simulated");
    let (there, back) = (bob.track().await, ada.track().await);
    let (there, back) = tokio::join!(hear(&there, 24_000, 1, 440.0), hear(&back, 24_000, 1, 600.0));
    check(there);
    check(back);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tones_go_on_after_the_signalling_was_cut() {
    let Some(server) = Server::start("room audio: resume", "1.11.0") else { return };
    for single in [true, false] {
        let mut ada = Guest::join(&server, "ada", single).await;
        let mut bob = Guest::join(&server, "bob", single).await;
        let (_track, _tone) = ada.play(24_000, 1, 440.0).await;
        let (_back, _tone_back) = bob.play(24_000, 1, 600.0).await;
        let (there, back) = (bob.track().await, ada.track().await);
        let scenario = livekit::SimulateScenario::SignalReconnect;
        let simulated = within("the scenario", ada.room.simulate_scenario(scenario)).await;
        simulated.expect("it is simulated");
        ada.event("the resumed room", |it| matches!(it, RoomEvent::Reconnected)).await;
        let (there, back) =
            tokio::join!(hear(&there, 24_000, 1, 440.0), hear(&back, 24_000, 1, 600.0));
        check(there);
        check(back);
        within("leaving", ada.room.close()).await.expect("the room closes");
        within("leaving", bob.room.close()).await.expect("the room closes");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tracks_come_and_go() {
    let Some(server) = Server::start("room audio: tracks", "1.11.0") else { return };
    for single in [true, false] {
        let ada = Guest::join(&server, "ada", single).await;
        let mut bob = Guest::join(&server, "bob", single).await;
        for frequency_hz in [440.0, 600.0, 800.0] {
            let (track, _tone) = ada.play(48_000, 1, frequency_hz).await;
            let heard = bob.track().await;
            check(hear(&heard, 48_000, 1, frequency_hz).await);
            ada.unplay(&track).await;
            let gone = |it: &RoomEvent| matches!(it, RoomEvent::TrackUnsubscribed { .. });
            bob.event("the track's end", gone).await;
        }
        // A track more than the sections that are offered beforehand.
        let mut tones = Vec::new();
        for frequency_hz in [300.0, 400.0, 500.0, 600.0] {
            tones.push(ada.play(16_000, 1, frequency_hz).await);
            check(hear(&bob.track().await, 16_000, 1, frequency_hz).await);
        }
        within("leaving", ada.room.close()).await.expect("the room closes");
        within("leaving", bob.room.close()).await.expect("the room closes");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_muted_track_is_silent_and_heard_again() {
    let Some(server) = Server::start("room audio: mute", "1.11.0") else { return };
    let ada = Guest::join(&server, "ada", true).await;
    let mut bob = Guest::join(&server, "bob", true).await;
    let (track, _tone) = ada.play(48_000, 1, 440.0).await;
    let heard = bob.track().await;
    check(hear(&heard, 48_000, 1, 440.0).await);
    track.mute();
    bob.event("the mute", |it| matches!(it, RoomEvent::TrackMuted { .. })).await;
    within("silence", silence(&heard)).await;
    track.unmute();
    check(hear(&heard, 48_000, 1, 440.0).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stereo_is_heard_as_stereo() {
    let Some(server) = Server::start("room audio: stereo", "1.11.0") else { return };
    let ada = Guest::join(&server, "ada", true).await;
    let mut bob = Guest::join(&server, "bob", true).await;
    let (_track, _tone) = ada.play(48_000, 2, 440.0).await;
    check(hear(&bob.track().await, 48_000, 2, 440.0).await);
}
