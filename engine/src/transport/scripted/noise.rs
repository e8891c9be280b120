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

    /// The frame with noise under it.
    pub(super) fn under(&mut self, frame: AudioFrame) -> AudioFrame {
        if self.peak == 0 {
            return frame;
        }
        let noisy =
            |&sample: &i16| sample.saturating_add(self.random.random_range(-self.peak..=self.peak));
        let samples: Vec<i16> = frame.samples().iter().map(noisy).collect();
        AudioFrame::new(samples, frame.sample_rate_hz())
    }
}
