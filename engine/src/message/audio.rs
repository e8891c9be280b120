//! A frame of sound.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use super::{Payload, PayloadKind};

/// A stretch of mono sound, usually 20 ms.
///
/// Shape: `samples` is i16, mono, `sample_rate_hz` per second; 320 samples for 20 ms at 16 kHz, 480
/// at 24 kHz. The last frame of an utterance may be shorter, or empty. Clones share the samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioFrame {
    samples: Arc<[i16]>,
    sample_rate_hz: NonZeroU32,
}

impl AudioFrame {
    /// The usual length of a frame.
    pub const LENGTH: Duration = Duration::from_millis(20);

    /// The rate of the caller's audio inside the graph, in Hz. Transports resample to it.
    pub const CALLER_RATE_HZ: NonZeroU32 = NonZeroU32::new(16_000).expect("not zero");

    /// The rate of recordings, in Hz: what voices usually come at. An agent's frames may have
    /// another.
    pub const VOICE_RATE_HZ: NonZeroU32 = NonZeroU32::new(24_000).expect("not zero");

    /// A frame of these samples.
    pub fn new(samples: impl Into<Arc<[i16]>>, sample_rate_hz: NonZeroU32) -> Self {
        Self { samples: samples.into(), sample_rate_hz }
    }

    /// A frame of silence, rounded down to whole samples.
    pub fn silence(length: Duration, sample_rate_hz: NonZeroU32) -> Self {
        let samples = samples_in(length, sample_rate_hz);
        Self::new(vec![0; samples], sample_rate_hz)
    }

    /// The samples, i16 mono.
    pub fn samples(&self) -> &[i16] {
        &self.samples
    }

    /// Samples per second.
    pub fn sample_rate_hz(&self) -> NonZeroU32 {
        self.sample_rate_hz
    }

    /// The time that the frame takes to play.
    pub fn length(&self) -> Duration {
        let rate = u64::from(self.sample_rate_hz.get());
        Duration::from_nanos(self.samples.len() as u64 * 1_000_000_000 / rate)
    }
}

impl Payload for AudioFrame {
    const KIND: PayloadKind = PayloadKind::Audio;

    fn duration(&self) -> Option<Duration> {
        Some(self.length())
    }
}

/// How many whole samples fit into `length`.
fn samples_in(length: Duration, sample_rate_hz: NonZeroU32) -> usize {
    let samples = length.as_nanos() * u128::from(sample_rate_hz.get()) / 1_000_000_000;
    usize::try_from(samples).expect("a frame's length is far below the address space")
}
