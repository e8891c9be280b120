//! The way to the caller's ear: the source of the agent's track.

use std::borrow::Cow;
use std::num::NonZeroU32;
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::poll;
use livekit::webrtc::audio_frame::AudioFrame as TrackFrame;
use livekit::webrtc::audio_source::AudioSourceOptions;
use livekit::webrtc::audio_source::native::NativeAudioSource;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use voicegraph_engine::message::AudioFrame;
use voicegraph_engine::transport::{Resampler, Sink, SinkGone};

use super::Settings;
use super::playout::Playout;

/// What the source's queue holds beyond the lead, so that it takes a frame at once unless it is
/// late.
const SLACK: Duration = Duration::from_millis(40);

/// The agent's voice.
pub(super) struct RoomSink {
    source: NativeAudioSource,
    rate: NonZeroU32,
    playout: Playout,
    /// For the voice's rate, while it speaks.
    resampler: Option<Resampler>,
    /// Samples that the source has not taken of the frame in hand, since it had no room.
    rest: Option<Vec<i16>>,
    /// Fires when nobody listens any more.
    gone: CancellationToken,
}

/// How much waits in the source at most.
fn queue(settings: &Settings) -> Duration {
    settings.lead + SLACK
}

/// A source for the agent's track.
pub(super) fn source(settings: &Settings) -> NativeAudioSource {
    let queue_ms = u32::try_from(queue(settings).as_millis()).unwrap_or(u32::MAX);
    let options = AudioSourceOptions::default();
    NativeAudioSource::new(options, settings.voice_rate_hz.get(), 1, queue_ms)
}

impl RoomSink {
    pub(super) fn new(
        source: NativeAudioSource,
        settings: &Settings,
        gone: CancellationToken,
    ) -> Self {
        let playout = Playout::new(settings.lead, queue(settings));
        let rate = settings.voice_rate_hz;
        Self { source, rate, playout, resampler: None, rest: None, gone }
    }

    /// The frame at the track's rate. What the filter holds back of an utterance's last frame comes
    /// with it, and silence makes it up to the 10 ms in which the source takes sound.
    fn resampled(&mut self, frame: &AudioFrame) -> Vec<i16> {
        let rate = frame.sample_rate_hz();
        let begins = self.playout.is_idle(Instant::now());
        let fits = |resampler: &Resampler| resampler.from_hz() == rate && !begins;
        self.resampler = self.resampler.take().filter(fits);
        let resampler = self.resampler.get_or_insert_with(|| Resampler::new(rate, self.rate));
        let mut samples = Vec::with_capacity(frame.samples().len());
        resampler.push(frame.samples(), &mut samples);
        if frame.length() < AudioFrame::LENGTH {
            resampler.flush(&mut samples);
            let step = (self.rate.get() / 100) as usize;
            samples.resize(samples.len().next_multiple_of(step), 0);
        }
        samples
    }

    /// Gives the source what it has not taken yet of the frame in hand, 10 ms at a time; `true`
    /// where it had no room for some of it at first.
    async fn capture(&mut self) -> bool {
        let step = (self.rate.get() / 100) as usize;
        let mut waited = false;
        while let Some(rest) = self.rest.as_mut().filter(|rest| !rest.is_empty()) {
            let count = step.min(rest.len());
            waited |= offer(&self.source, &rest[..count]).await;
            rest.drain(..count);
        }
        waited
    }
}

/// Gives the source samples of at most 10 ms; `true` where it had no room for them at first.
async fn offer(source: &NativeAudioSource, samples: &[i16]) -> bool {
    let frame = TrackFrame {
        samples_per_channel: u32::try_from(samples.len()).unwrap_or(u32::MAX),
        data: Cow::Borrowed(samples),
        sample_rate: source.sample_rate(),
        num_channels: 1,
    };
    let capturing = source.capture_frame(&frame);
    tokio::pin!(capturing);
    let (waited, taken) = match poll!(&mut capturing) {
        Poll::Ready(taken) => (false, taken),
        Poll::Pending => (true, capturing.await),
    };
    if let Err(error) = taken {
        tracing::warn!(%error, "agent's voice was not taken");
    }
    waited
}

#[async_trait]
impl Sink for RoomSink {
    fn sample_rate_hz(&self) -> NonZeroU32 {
        self.rate
    }

    async fn play(&mut self, frame: &AudioFrame) -> Result<Instant, SinkGone> {
        let gone = self.gone.clone();
        if let Some(at) = self.playout.room_at(Instant::now()) {
            tokio::select! {
                biased;
                () = gone.cancelled() => return Err(SinkGone),
                () = sleep_until(at) => {}
            }
        }
        if self.rest.is_none() {
            self.rest = Some(self.resampled(frame));
        }
        let waited = tokio::select! {
            biased;
            () = gone.cancelled() => return Err(SinkGone),
            waited = self.capture() => waited,
        };
        self.rest = None;
        Ok(self.playout.hand_over(Instant::now(), frame.length(), waited))
    }

    fn clear(&mut self) {
        self.source.clear_buffer();
        self.playout.clear(Instant::now());
        (self.resampler, self.rest) = (None, None);
    }
}
