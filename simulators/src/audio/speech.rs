//! Recorded speech: what a WAV file holds, at its own rate or at the rate a client asks for.

use std::sync::Arc;

use thiserror::Error;

use super::resample::resample;
use super::{Threshold, loud_span};

/// Recorded speech: i16, mono.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Speech {
    /// The samples, shared by all calls that play them.
    pub samples: Arc<[i16]>,
    /// Samples per second.
    pub rate_hz: u32,
}

/// Why a WAV file is no [`Speech`].
#[derive(Debug, Error)]
pub enum SpeechError {
    /// The bytes are no WAV file.
    #[error("not a WAV file ({0})")]
    Wav(#[from] hound::Error),
    /// The file holds something else than 16-bit mono.
    #[error(
        "has {channels} channel(s) of {bits} bits; write `sox in.wav -b 16 -c 1 out.wav` \
         to make it 16-bit mono"
    )]
    Format {
        /// Channels in the file.
        channels: u16,
        /// Bits per sample in the file.
        bits: u16,
    },
}

impl Speech {
    /// Reads a 16-bit mono WAV file.
    pub fn from_wav(bytes: &[u8]) -> Result<Self, SpeechError> {
        let mut reader = hound::WavReader::new(bytes)?;
        let spec = reader.spec();
        let integer = spec.sample_format == hound::SampleFormat::Int;
        if spec.channels != 1 || spec.bits_per_sample != 16 || !integer {
            return Err(SpeechError::Format {
                channels: spec.channels,
                bits: spec.bits_per_sample,
            });
        }
        let samples = reader.samples::<i16>().collect::<Result<_, _>>()?;
        Ok(Self { samples, rate_hz: spec.sample_rate })
    }

    /// The same speech at `rate_hz`; linear interpolation, without a filter.
    pub fn at_rate(&self, rate_hz: u32) -> Self {
        if rate_hz == self.rate_hz {
            return self.clone();
        }
        Self { samples: resample(&self.samples, self.rate_hz, rate_hz).into(), rate_hz }
    }
}

/// A recording at one rate together with where its words begin and end.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// The recording at the rate that was asked for.
    pub(crate) speech: Speech,
    /// First sample that is loud.
    begin: usize,
    /// One past the last sample that is loud.
    end: usize,
}

impl Line {
    /// Resamples `speech` and finds where it is loud.
    pub(crate) fn new(speech: &Speech, rate_hz: u32) -> Self {
        let speech = speech.at_rate(rate_hz);
        let (begin, end) = loud_span(&speech.samples, rate_hz, Threshold::default())
            .unwrap_or((0, speech.samples.len()));
        Self { speech, begin, end }
    }

    /// The sample where `done` of `total` units of text have been spoken: 0 at the start, the
    /// recording's length at the end, and between them a place within the loud part.
    pub(crate) fn sample_at(&self, done: usize, total: usize) -> usize {
        if done == 0 {
            return 0;
        }
        if done >= total {
            return self.speech.samples.len();
        }
        self.loud_at(done, total)
    }

    /// As [`Line::sample_at`], but a word's time: never in the silence at either end.
    pub(crate) fn loud_at(&self, done: usize, total: usize) -> usize {
        self.begin + (self.end - self.begin) * done.min(total) / total.max(1)
    }
}
