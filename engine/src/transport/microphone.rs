//! A microphone without hardware: one frame every 20 ms, by the clock, without drift.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::{Captured, Recording};
use crate::message::AudioFrame;

/// Samples in 20 ms at 16 kHz.
const FRAME_SAMPLES: usize = 320;

/// Gives frames at their times, and records them if there is a recording.
pub(super) struct Microphone {
    recording: Option<Recording>,
    silence: AudioFrame,
    start: Option<Instant>,
    frames: u32,
}

impl Microphone {
    pub(super) fn new(recording: Option<Recording>) -> Self {
        let silence = AudioFrame::silence(AudioFrame::LENGTH, AudioFrame::CALLER_RATE_HZ);
        Self { recording, silence, start: None, frames: 0 }
    }

    /// When the first frame began to be captured: the first time that it was asked for.
    pub(super) fn start(&mut self) -> Instant {
        let start = *self.start.get_or_insert_with(Instant::now);
        if let Some(recording) = &self.recording {
            recording.start(start);
        }
        start
    }

    /// When the frame in progress began to be captured, counted from the start.
    pub(super) fn elapsed(&self) -> Duration {
        AudioFrame::LENGTH * self.frames
    }

    /// Waits until the frame in progress is captured, and gives the instant of its last sample.
    /// Cancel safe: the frame is over only when this returns.
    pub(super) async fn capture(&mut self) -> Instant {
        let end = self.start() + self.elapsed() + AudioFrame::LENGTH;
        sleep_until(end).await;
        self.frames += 1;
        end
    }

    /// The frame that was captured until `end`; silence where there is none.
    pub(super) fn give(&self, frame: Option<AudioFrame>, end: Instant) -> Captured {
        let frame = frame.unwrap_or_else(|| self.silence.clone());
        if let Some(recording) = &self.recording {
            recording.caller(end - AudioFrame::LENGTH, &frame);
        }
        Captured::Frame(frame, end)
    }
}

/// Cuts sound at 16 kHz into 20 ms frames; the last is filled up with silence.
pub(super) fn frames(voice: &[i16]) -> std::vec::IntoIter<AudioFrame> {
    let frame = |samples: &[i16]| {
        let mut samples = samples.to_vec();
        samples.resize(FRAME_SAMPLES, 0);
        AudioFrame::new(samples, AudioFrame::CALLER_RATE_HZ)
    };
    voice.chunks(FRAME_SAMPLES).map(frame).collect::<Vec<_>>().into_iter()
}
