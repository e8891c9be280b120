//! Opus by libopus: frames into payloads, payloads into frames, and sound for payloads that never
//! came.
//!
//! Encoding takes any rate of Opus' own (8, 12, 16, 24, 48 kHz). Decoding is always at 48 kHz, so
//! that one decoded stream serves readers of different rates.

use std::sync::Arc;

use opus::{Application, Bitrate, Channels as Layout};

use super::clock::RATE_HZ;
use super::packet::{LONGEST, PAYLOAD_LIMIT};

/// Rates that libopus works at without a resampler, in Hz.
pub(crate) const NATIVE_HZ: [u32; 5] = [8_000, 12_000, 16_000, 24_000, RATE_HZ];

/// Sound that is made up or restored comes in multiples of 2.5 ms.
const STEP: usize = 120;

/// The longest piece that is made up at once: libopus lowers the volume from piece to piece, not
/// within one.
pub(crate) const CONCEALED: usize = 960;

/// The most expected loss, in percent, that libopus is told. Above it, it takes everything for
/// voice (`opus_encode_native` in 1.6: SILK where the loss exceeds an eighth of how sure it is that
/// there is none). SILK repairs voice with redundant frames, but has neither redundancy nor a good
/// concealment for music and tones, which are left to CELT.
const HIGHEST_LOSS: u8 = 8;

/// How hard libopus tries, 0 to 10. Below 7 it does not tell tones and music from voice, and gives
/// them to SILK, which conceals them badly; above, it takes longer for what nobody hears.
const COMPLEXITY: i32 = 7;

/// What libopus refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A rate or a number of channels that Opus does not have.
    #[error("{rate_hz} Hz with {channels} channels; Opus takes 8, 12, 16, 24, 48 kHz with 1 or 2")]
    Format {
        /// The rate asked for.
        rate_hz: u32,
        /// The number of channels asked for.
        channels: u32,
    },
    /// A call of libopus failed.
    #[error("libopus: {0}")]
    Codec(#[from] opus::Error),
}

/// How an encoder works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Samples per second of what is encoded: one of [`NATIVE_HZ`].
    pub(crate) rate_hz: u32,
    /// 1 or 2.
    pub(crate) channels: u32,
    /// Bits per second of the payloads, 6 000 to 510 000 (RFC 6716, section 2.1.1).
    pub(crate) bitrate_bps: u32,
}

/// Makes payloads of frames.
pub(crate) struct Encoder {
    inner: opus::Encoder,
    settings: Settings,
    loss_percent: u8,
    dtx: bool,
    scratch: Box<[u8; PAYLOAD_LIMIT]>,
}

impl Encoder {
    /// An encoder for voice; forward error correction is on and waits for a loss to be told.
    ///
    /// # Errors
    /// Where Opus does not have the rate or the number of channels.
    pub(crate) fn new(settings: Settings) -> Result<Self, Error> {
        let layout = layout(settings.rate_hz, settings.channels)?;
        let mut inner = opus::Encoder::new(settings.rate_hz, layout, Application::Voip)?;
        inner.set_inband_fec(true)?;
        inner.set_bitrate(bitrate(settings.bitrate_bps))?;
        inner.set_complexity(COMPLEXITY)?;
        let scratch = Box::new([0; PAYLOAD_LIMIT]);
        Ok(Self { inner, settings, loss_percent: 0, dtx: false, scratch })
    }

    /// Sets the bits per second of what follows.
    ///
    /// # Errors
    /// Where libopus refuses.
    pub(crate) fn set_bitrate(&mut self, bitrate_bps: u32) -> Result<(), Error> {
        if bitrate_bps != self.settings.bitrate_bps {
            self.inner.set_bitrate(bitrate(bitrate_bps))?;
            self.settings.bitrate_bps = bitrate_bps;
        }
        Ok(())
    }

    /// Says how many packets of a hundred get lost: the more, the more is spent on repair.
    ///
    /// # Errors
    /// Where libopus refuses.
    pub(crate) fn set_loss(&mut self, percent: u8) -> Result<(), Error> {
        let percent = percent.min(HIGHEST_LOSS);
        if percent != self.loss_percent {
            self.inner.set_packet_loss_perc(i32::from(percent))?;
            self.loss_percent = percent;
        }
        Ok(())
    }

    /// Sets whether silence is told by packets of a byte or two instead of being encoded.
    ///
    /// # Errors
    /// Where libopus refuses.
    pub(crate) fn set_dtx(&mut self, dtx: bool) -> Result<(), Error> {
        if dtx != self.dtx {
            self.inner.set_dtx(dtx)?;
            self.dtx = dtx;
        }
        Ok(())
    }

    /// The payload for `samples`: interleaved, 10, 20, 40 or 60 ms at the encoder's rate.
    ///
    /// # Errors
    /// Where the length is another.
    pub(crate) fn encode(&mut self, samples: &[i16]) -> Result<Arc<[u8]>, Error> {
        let length = self.inner.encode(samples, &mut self.scratch[..])?;
        Ok(Arc::from(&self.scratch[..length]))
    }
}

/// What the jitter buffer asks of a decoder. Sound is interleaved at 48 kHz; lengths are samples
/// per channel.
pub(crate) trait Decode {
    /// Appends what `payload` holds to `out`; gives how long that is.
    ///
    /// # Errors
    /// Where the payload is broken; then nothing was appended.
    fn decode(&mut self, payload: &[u8], out: &mut Vec<i16>) -> Result<usize, Error>;

    /// Appends the `samples` before `next` from its forward error correction.
    ///
    /// # Errors
    /// Where it cannot; then nothing was appended.
    fn restore(&mut self, next: &[u8], samples: usize, out: &mut Vec<i16>) -> Result<(), Error>;

    /// Appends `samples` made up from what went before: the way on for a voice, noise for a pause.
    ///
    /// # Errors
    /// Where it cannot; then nothing was appended.
    fn conceal(&mut self, samples: usize, out: &mut Vec<i16>) -> Result<(), Error>;
}

/// Makes frames of payloads, at 48 kHz.
pub(crate) struct Decoder {
    inner: opus::Decoder,
    channels: usize,
    scratch: Vec<i16>,
}

impl Decoder {
    /// A decoder that gives 1 or 2 channels, whatever the sender's number.
    ///
    /// # Errors
    /// At another number of channels.
    pub(crate) fn new(channels: u32) -> Result<Self, Error> {
        let inner = opus::Decoder::new(RATE_HZ, layout(RATE_HZ, channels)?)?;
        let channels = channels as usize;
        Ok(Self { inner, channels, scratch: vec![0; LONGEST * channels] })
    }

    /// One call of libopus for at most `room` samples per channel.
    fn run(&mut self, payload: &[u8], room: usize, fec: bool) -> Result<usize, Error> {
        Ok(self.inner.decode(payload, &mut self.scratch[..room * self.channels], fec)?)
    }

    fn append(&self, samples: usize, out: &mut Vec<i16>) {
        out.extend_from_slice(&self.scratch[..samples * self.channels]);
    }
}

impl Decode for Decoder {
    fn decode(&mut self, payload: &[u8], out: &mut Vec<i16>) -> Result<usize, Error> {
        let made = self.run(payload, LONGEST, false)?;
        self.append(made, out);
        Ok(made)
    }

    fn restore(&mut self, next: &[u8], samples: usize, out: &mut Vec<i16>) -> Result<(), Error> {
        let made = self.run(next, samples, true)?;
        self.append(made.min(samples), out);
        Ok(())
    }

    fn conceal(&mut self, samples: usize, out: &mut Vec<i16>) -> Result<(), Error> {
        let mut left = samples;
        while left > 0 {
            let now = left.min(CONCEALED);
            self.run(&[], now.next_multiple_of(STEP), false)?;
            self.append(now, out);
            left -= now;
        }
        Ok(())
    }
}

fn layout(rate_hz: u32, channels: u32) -> Result<Layout, Error> {
    match channels {
        1 if NATIVE_HZ.contains(&rate_hz) => Ok(Layout::Mono),
        2 if NATIVE_HZ.contains(&rate_hz) => Ok(Layout::Stereo),
        _ => Err(Error::Format { rate_hz, channels }),
    }
}

fn bitrate(bitrate_bps: u32) -> Bitrate {
    Bitrate::Bits(i32::try_from(bitrate_bps).unwrap_or(i32::MAX))
}
