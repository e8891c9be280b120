//! A listener's ear that takes sound at the pace of the clock: the sink of calls without a real
//! one.
//!
//! Nothing is taken ahead: a frame is handed over at the instant at which it begins to be played,
//! so there is never anything to drop, and silence after an interruption begins within the frame in
//! hand.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::Mutex;

use async_trait::async_trait;
use tokio::time::{Instant, sleep_until};

use super::{Recording, Sink, SinkGone};
use crate::message::AudioFrame;

/// The rate of a listener who records nothing: that of the voice, so that nothing is resampled.
const DEFAULT_RATE_HZ: NonZeroU32 = NonZeroU32::new(24_000).expect("not zero");

/// Plays by the clock, into a recording if there is one.
pub(super) struct Playback {
    recording: Option<Recording>,
    /// When the frame in hand is over.
    free_at: Option<Instant>,
    last_played: Arc<LastPlayed>,
}

/// When the listener last heard something; for whoever loses patience.
#[derive(Debug, Default)]
pub(super) struct LastPlayed(Mutex<Option<Instant>>);

impl Playback {
    pub(super) fn new(recording: Option<Recording>) -> Self {
        Self { recording, free_at: None, last_played: Arc::default() }
    }

    pub(super) fn last_played(&self) -> Arc<LastPlayed> {
        Arc::clone(&self.last_played)
    }
}

impl LastPlayed {
    /// The end of the last frame, once there was one.
    pub(super) fn get(&self) -> Option<Instant> {
        *self.0.lock().expect("no panic holds this lock")
    }

    fn set(&self, end: Instant) {
        *self.0.lock().expect("no panic holds this lock") = Some(end);
    }
}

#[async_trait]
impl Sink for Playback {
    fn sample_rate_hz(&self) -> NonZeroU32 {
        self.recording.as_ref().map_or(DEFAULT_RATE_HZ, Recording::sample_rate_hz)
    }

    async fn play(&mut self, frame: &AudioFrame) -> Result<Instant, SinkGone> {
        let now = Instant::now();
        // A frame that was here in time follows the one before without a gap, although a timer may
        // fire a little late.
        let begin = match self.free_at {
            Some(free_at) if free_at >= now => {
                sleep_until(free_at).await;
                free_at
            }
            _ => now,
        };
        if let Some(recording) = &self.recording {
            recording.agent(begin, frame);
        }
        let end = begin + frame.length();
        self.free_at = Some(end);
        self.last_played.set(end);
        Ok(begin)
    }

    fn clear(&mut self) {}
}
