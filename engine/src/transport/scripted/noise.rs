//! The noise under a scripted caller's voice: always the same, so that a call can be repeated.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::message::AudioFrame;

/// Evenly spread noise up to a peak.
pub(super) struct Noise {
    peak: i16,
    random: StdRng,
}

impl Noise {
    /// Noise up to `peak` steps of 16 bits; 0 is none.
    pub(super) fn new(peak: u16) -> Self {
        let peak = i16::try_from(peak).unwrap_or(i16::MAX);
        Self { peak, random: StdRng::seed_from_u64(0) }
    }

    /// The frame with noise under it; noise alone where there is no frame.
    pub(super) fn under(&mut self, frame: Option<AudioFrame>) -> Option<AudioFrame> {
        if self.peak == 0 {
            return frame;
        }
        let silence = || AudioFrame::silence(AudioFrame::LENGTH, AudioFrame::CALLER_RATE_HZ);
        let frame = frame.unwrap_or_else(silence);
        let noisy =
            |&sample: &i16| sample.saturating_add(self.random.random_range(-self.peak..=self.peak));
        let samples: Vec<i16> = frame.samples().iter().map(noisy).collect();
        Some(AudioFrame::new(samples, frame.sample_rate_hz()))
    }
}
