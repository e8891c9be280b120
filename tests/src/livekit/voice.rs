//! Sound of a guest: tracks of its own that it plays into, and others' that it records.

use std::time::Duration;

use futures_util::StreamExt as _;
use livekit::options::TrackPublishOptions;
use livekit::prelude::*;
use livekit::webrtc::audio_frame::AudioFrame;
use livekit::webrtc::audio_source::native::NativeAudioSource;
use livekit::webrtc::audio_source::{AudioSourceOptions, RtcAudioSource};
use livekit::webrtc::audio_stream::native::NativeAudioStream;
use tokio::time::timeout;

use super::guest::{Guest, LIMIT, within};
use crate::sound::Sound;

/// Sound that waits in a source before who plays is held up, in ms.
const QUEUE_MS: u32 = 200;

/// The length of the frames that are played.
const FRAME_MS: u64 = 10;

/// A track of a guest's own.
#[derive(Debug)]
pub struct Voice {
    /// The track.
    pub track: LocalAudioTrack,
    source: NativeAudioSource,
}

impl Voice {
    /// Plays the channels of `sound`, and returns when its last sample was sent.
    ///
    /// # Panics
    /// Where the source does not take it in time.
    pub async fn play(&self, sound: &[Sound]) {
        let first = &sound[0];
        let playing = async {
            for from in (0..first.samples.len()).step_by(first.samples_in(FRAME_MS)) {
                self.capture(sound, from).await;
            }
            let silence = Sound { samples: Vec::new(), ..*first }.after_silence(QUEUE_MS.into());
            let silence = vec![silence; sound.len()];
            for from in (0..silence[0].samples.len()).step_by(first.samples_in(FRAME_MS)) {
                self.capture(&silence, from).await;
            }
        };
        let limit = LIMIT + first.length();
        timeout(limit, playing).await.expect("the source takes sound as fast as it plays");
    }

    async fn capture(&self, sound: &[Sound], from: usize) {
        let count = sound[0].samples_in(FRAME_MS);
        let (rate_hz, channels) = (sound[0].rate_hz, sound.len());
        let mut frame = AudioFrame::new(rate_hz, channels as u32, count as u32);
        for (at, samples) in frame.data.to_mut().chunks_exact_mut(channels).enumerate() {
            for (sample, channel) in samples.iter_mut().zip(sound) {
                *sample = channel.samples.get(from + at).copied().unwrap_or(0);
            }
        }
        self.source.capture_frame(&frame).await.expect("the frame has the source's shape");
    }
}

impl Guest {
    /// Publishes a track.
    ///
    /// # Panics
    /// Where the server does not take it.
    pub async fn publish(&self, name: &str, rate_hz: u32, channels: u32) -> Voice {
        let options = AudioSourceOptions::default();
        let source = NativeAudioSource::new(options, rate_hz, channels, QUEUE_MS);
        let native = RtcAudioSource::Native(source.clone());
        let track = LocalAudioTrack::create_audio_track(name, native);
        let options = TrackPublishOptions { source: TrackSource::Microphone, ..Default::default() };
        let participant = self.room.local_participant();
        let published = participant.publish_track(LocalTrack::Audio(track.clone()), options);
        within("publishing", published).await.expect("the server takes the track");
        Voice { track, source }
    }

    /// Unpublishes it.
    ///
    /// # Panics
    /// Where it is not published.
    pub async fn unpublish(&self, voice: &Voice) {
        let participant = self.room.local_participant();
        let sid = voice.track.sid();
        let unpublished = participant.unpublish_track(&sid);
        within("unpublishing", unpublished).await.expect("it is published");
    }

    /// The others' track of that name, once it is subscribed. Events until then are passed over.
    ///
    /// # Panics
    /// Where there is none in time.
    pub async fn track(&mut self, name: &str) -> RemoteAudioTrack {
        within("a track", async {
            loop {
                if let Some(track) = self.subscribed(name) {
                    return track;
                }
                self.events.recv().await.expect("the room is open");
            }
        })
        .await
    }

    fn subscribed(&self, name: &str) -> Option<RemoteAudioTrack> {
        let others = self.room.remote_participants();
        let publications = others.values().flat_map(|other| other.track_publications());
        let mut named = publications.filter(|(_, publication)| publication.name() == name);
        named.find_map(|(_, publication)| match publication.track() {
            Some(RemoteTrack::Audio(track)) => Some(track),
            _ => None,
        })
    }
}

/// The next `ms` of `track`, at a rate and in channels of the listener's choice.
///
/// # Panics
/// Where they do not come in time.
pub async fn record(
    track: &RemoteAudioTrack,
    rate_hz: u32,
    channels: usize,
    ms: u64,
) -> Vec<Sound> {
    let silent = Sound { rate_hz, samples: Vec::new() };
    let mut sound = vec![silent; channels];
    let wanted = sound[0].samples_in(ms);
    let mut stream = NativeAudioStream::new(track.rtc_track(), rate_hz as i32, channels as i32);
    let recording = async {
        while sound[0].samples.len() < wanted {
            let frame = stream.next().await.expect("the track is there");
            for samples in frame.data.chunks_exact(channels) {
                for (channel, &sample) in sound.iter_mut().zip(samples) {
                    channel.samples.push(sample);
                }
            }
        }
    };
    let limit = LIMIT + Duration::from_millis(ms);
    timeout(limit, recording).await.unwrap_or_else(|_| panic!("no {ms} ms of sound in {limit:?}"));
    sound
}
