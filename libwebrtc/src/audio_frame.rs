//! A piece of sound.

use std::borrow::Cow;

/// Samples of one moment: `i16`, channels interleaved.
#[derive(Debug, Clone)]
pub struct AudioFrame<'a> {
    /// `num_channels` times `samples_per_channel` samples.
    pub data: Cow<'a, [i16]>,
    /// In hertz.
    pub sample_rate: u32,
    /// 1 is mono, 2 is stereo.
    pub num_channels: u32,
    /// The length: `sample_rate / 100` is 10 ms.
    pub samples_per_channel: u32,
}

impl AudioFrame<'_> {
    /// Silence of that shape.
    pub fn new(sample_rate: u32, num_channels: u32, samples_per_channel: u32) -> Self {
        let data = Cow::Owned(vec![0; num_channels as usize * samples_per_channel as usize]);
        Self { data, sample_rate, num_channels, samples_per_channel }
    }
}
