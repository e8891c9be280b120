//! The pace of a microphone: one frame every 20 ms, by the clock, without drift.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::message::AudioFrame;

/// Gives the times of 20 ms frames, one after the other.
#[derive(Debug, Default)]
pub(super) struct Pace {
    start: Option<Instant>,
    frames: u32,
}

impl Pace {
    /// When the first frame began to be captured: the first time that it was asked for.
    pub(super) fn start(&mut self) -> Instant {
        *self.start.get_or_insert_with(Instant::now)
    }

    /// When the frame in progress began to be captured, counted from the start.
    pub(super) fn elapsed(&self) -> Duration {
        AudioFrame::LENGTH * self.frames
    }

    /// Waits until the frame in progress is captured, and gives the instant of its last sample. Cancel
    /// safe: the frame is over only when this returns.
    pub(super) async fn frame(&mut self) -> Instant {
        let end = self.start() + self.elapsed() + AudioFrame::LENGTH;
        sleep_until(end).await;
        self.frames += 1;
        end
    }
}
