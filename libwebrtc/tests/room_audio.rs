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
use tone::{Heard, Tone, hear};

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
