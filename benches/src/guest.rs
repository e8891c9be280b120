//! A participant of a room: one track out, one track in.

use anyhow::Context;
use livekit::options::TrackPublishOptions;
use livekit::prelude::*;
use livekit::webrtc::audio_source::native::NativeAudioSource;
use livekit::webrtc::audio_source::{AudioSourceOptions, RtcAudioSource};
use voicegraph_tests::livekit::token;

/// Sound that waits in a source before who captures is held up, in ms.
const QUEUE_MS: u32 = 100;

/// A participant in a room, with its track published.
#[derive(Debug)]
pub struct Guest {
    /// The room as it sees it.
    pub room: Room,
    /// What happens there. The crate chose a channel without a limit.
    pub events: tokio::sync::mpsc::UnboundedReceiver<RoomEvent>,
    /// What is captured here is heard by the others: mono.
    pub source: NativeAudioSource,
}

impl Guest {
    /// Joins `room` as `name`, and publishes a microphone of `rate_hz` as `options` say.
    ///
    /// # Errors
    /// Where it does not get in.
    pub async fn join(
        url: &str,
        room: &str,
        name: &str,
        rate_hz: u32,
        options: TrackPublishOptions,
    ) -> anyhow::Result<Self> {
        let mut joining = RoomOptions::default();
        joining.single_peer_connection = true;
        let (room, events) = Room::connect(url, &token(room, name), joining).await?;
        let source = NativeAudioSource::new(AudioSourceOptions::default(), rate_hz, 1, QUEUE_MS);
        let native = RtcAudioSource::Native(source.clone());
        let track = LocalTrack::Audio(LocalAudioTrack::create_audio_track("voice", native));
        let options = TrackPublishOptions { source: TrackSource::Microphone, ..options };
        room.local_participant().publish_track(track, options).await?;
        Ok(Self { room, events, source })
    }

    /// The other's track.
    ///
    /// # Errors
    /// Where the room closes first.
    pub async fn other(&mut self) -> anyhow::Result<RemoteAudioTrack> {
        loop {
            let event = self.events.recv().await.context("the room has closed")?;
            if let RoomEvent::TrackSubscribed { track: RemoteTrack::Audio(track), .. } = event {
                return Ok(track);
            }
        }
    }
}
