//! The sending half: frames of sound come in as their maker has them, Opus packets go out one by
//! one at the pace of the clock.
//!
//! ```text
//!  offer ─► (10 ms frames to a rate of Opus') ─► queue ─► packet in time ─► level, Opus ─► poll
//! ```
//!
//! What is offered beyond the queue's limit is not taken: the caller waits until there is room.
//! When the queue runs dry in a packet, silence fills it, a tail of silence follows so that the
//! receiver hears an end rather than a loss, and then nothing is sent; timestamps go on with the
//! clock.

use std::collections::VecDeque;
use std::mem::replace;
use std::sync::Arc;
use std::time::Duration;

use super::adapt::Adaptation;
use super::clock::{RATE_HZ, to_samples};
use super::level::below_overload;
use super::opus::{self, Encoder, NATIVE_HZ};
use super::packet;
use super::resample::{self, Resampler};

/// The longest queue that can be asked for.
pub(crate) const QUEUE_LIMIT: Duration = Duration::from_secs(10);

/// Silence that is sent when the queue has run dry.
const TAIL: Duration = Duration::from_millis(200);

/// A packet that is later than this is not caught up with: the pace begins anew.
const CATCH_UP_LIMIT: Duration = Duration::from_millis(200);

/// What is louder than this many dB below overload is never told as silence: libopus' own ear for
/// voice takes tones for none.
const QUIET_DBOV: u8 = 60;

/// Why a source cannot be, or cannot send.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The encoder refused.
    #[error(transparent)]
    Opus(#[from] opus::Error),
    /// The rate or the number of channels cannot be.
    #[error(transparent)]
    Resample(#[from] resample::Error),
    /// Packets of another length.
    #[error("packets of {0:?}; 10, 20, 40 or 60 ms can be sent")]
    PacketLength(Duration),
    /// A queue that is too long.
    #[error("a queue of {0:?}; the longest is {QUEUE_LIMIT:?}")]
    QueueLength(Duration),
    /// Sound that is not a whole number of frames.
    #[error("{values} values; sound comes in frames of 10 ms, which have {frame} values here")]
    Frame {
        /// What was offered, all channels together.
        values: usize,
        /// What a frame has.
        frame: usize,
    },
}

/// What a source is to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Samples per second of what is offered: any multiple of 100 Hz.
    pub(crate) rate_hz: u32,
    /// 1 or 2.
    pub(crate) channels: u32,
    /// How much sound waits at most; zero sends each packet as soon as it is full.
    pub(crate) queue: Duration,
    /// The length of a packet: 10, 20, 40 or 60 ms.
    pub(crate) packet: Duration,
    /// The most bits per second.
    pub(crate) bitrate_bps: u32,
    /// Whether silence is told in packets of a byte or two.
    pub(crate) dtx: bool,
    /// The first RTP timestamp, which should be random (RFC 3550, section 5.1).
    pub(crate) first_timestamp: u32,
}

/// A packet to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Packet {
    /// RTP's timestamp, in samples of 48 kHz.
    pub(crate) timestamp: u32,
    /// RTP's marker: the first packet after a pause (RFC 3551, section 4.1).
    pub(crate) marker: bool,
    /// An Opus packet.
    pub(crate) payload: Arc<[u8]>,
    /// How loud it is, in dB below overload, for the audio level extension (RFC 6464).
    pub(crate) level_dbov: u8,
}

/// Makes packets of frames.
pub(crate) struct Source {
    settings: Settings,
    resampler: Resampler,
    encoder: Encoder,
    adaptation: Adaptation,
    /// Interleaved, at the encoder's rate.
    queue: VecDeque<i16>,
    packet_len: usize,
    queue_len: usize,
    timestamp: u32,
    pace: Pace,
    /// The last packet only said that there is silence.
    in_dtx: bool,
    muted: bool,
    resampled: Vec<i16>,
    /// The packet's sound, on its way to the encoder.
    packet: Vec<i16>,
}

/// When the next packet is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// Nothing is sent. The next packet would have been due then, if any was.
    Paused(Option<Duration>),
    /// So much silence has been sent in a row.
    Due { at: Duration, silent: Duration },
}

impl Source {
    /// A source that has nothing to send yet.
    ///
    /// # Errors
    /// Where a setting is out of its range.
    pub(crate) fn new(settings: Settings) -> Result<Self, Error> {
        if ![10, 20, 40, 60].map(Duration::from_millis).contains(&settings.packet) {
            return Err(Error::PacketLength(settings.packet));
        }
        if settings.queue > QUEUE_LIMIT {
            return Err(Error::QueueLength(settings.queue));
        }
        let Settings { rate_hz, channels, bitrate_bps, .. } = settings;
        let native_hz = if NATIVE_HZ.contains(&rate_hz) { rate_hz } else { RATE_HZ };
        let resampler = Resampler::new(rate_hz, native_hz, channels)?;
        let own = opus::Settings { rate_hz: native_hz, channels, bitrate_bps };
        let frame_len = (native_hz / 100 * channels) as usize;
        let values = |time: Duration| (time.as_millis() / 10) as usize * frame_len;
        let packet_len = values(settings.packet);
        Ok(Self {
            settings,
            resampler,
            encoder: Encoder::new(own)?,
            adaptation: Adaptation::new(bitrate_bps),
            queue: VecDeque::new(),
            packet_len,
            queue_len: values(settings.queue).max(packet_len),
            timestamp: settings.first_timestamp,
            pace: Pace::Paused(None),
            in_dtx: false,
            muted: false,
            resampled: Vec::new(),
            packet: Vec::new(),
        })
    }

    /// Whether a frame of 10 ms would be taken.
    pub(crate) fn has_room(&self) -> bool {
        self.queue.len() < self.queue_len
    }

    /// How much sound waits.
    #[cfg(test)]
    pub(crate) fn queued(&self) -> Duration {
        let frames = self.queue.len() as f64 / self.packet_len as f64;
        self.settings.packet.mul_f64(frames)
    }

    /// Takes as many of the frames in `samples` as there is room for, and says how many values that
    /// were. Samples are interleaved at the source's rate, in frames of 10 ms.
    ///
    /// # Errors
    /// Where `samples` is not a whole number of frames; then nothing was taken.
    pub(crate) fn offer(&mut self, samples: &[i16]) -> Result<usize, Error> {
        let frame = self.resampler.input_len();
        if !samples.len().is_multiple_of(frame) {
            return Err(Error::Frame { values: samples.len(), frame });
        }
        let mut taken = 0;
        for frame in samples.chunks(frame) {
            if !self.has_room() {
                break;
            }
            self.resampled.clear();
            self.resampler.push(frame, &mut self.resampled);
            self.queue.extend(&self.resampled);
            taken += frame.len();
        }
        Ok(taken)
    }

    /// Throws away what waits.
    pub(crate) fn clear(&mut self) {
        self.queue.clear();
    }

    /// When [`poll`](Self::poll) is to be asked next, if nothing else happens; `None` while there
    /// is nothing to send.
    pub(crate) fn wakes_at(&self, now: Duration) -> Option<Duration> {
        match self.pace {
            Pace::Paused(_) => self.is_full().then_some(now),
            Pace::Due { .. } if self.is_direct() && self.is_full() => Some(now),
            Pace::Due { at, .. } => Some(at + self.slack()),
        }
    }

    /// The packet that is due at `now`, if one is. To be asked again until there is none.
    ///
    /// # Errors
    /// Where the encoder fails; the packet's sound is gone then.
    pub(crate) fn poll(&mut self, now: Duration) -> Result<Option<Packet>, Error> {
        loop {
            let packet = match self.pace {
                Pace::Paused(since) if self.is_full() => self.resume(since.unwrap_or(now), now)?,
                Pace::Due { at, .. } if self.is_full() && (self.is_direct() || at <= now) => {
                    self.send_next(at, now)?
                }
                Pace::Due { at, silent } if at + self.slack() <= now => {
                    self.send_silence(at, silent)?
                }
                Pace::Paused(_) | Pace::Due { .. } => return Ok(None),
            };
            let is_silent = packet::is_silent(&packet.payload);
            // Under DTX the first says that silence begins; libopus' next real one refreshes it.
            if !(is_silent && replace(&mut self.in_dtx, is_silent)) {
                self.in_dtx = is_silent;
                return Ok(Some(packet));
            }
        }
    }

    /// Takes the share of packets that a receiver report says were lost, 0.0 to 1.0.
    ///
    /// # Errors
    /// Where the encoder refuses what follows from it.
    pub(crate) fn report(&mut self, loss: f32) -> Result<(), Error> {
        let advice = self.adaptation.report(loss);
        self.encoder.set_bitrate(advice.bitrate_bps)?;
        self.encoder.set_loss(advice.loss_percent)?;
        Ok(())
    }

    /// Sends silence from now on, at the same pace, or the sound again.
    pub(crate) fn set_muted(&mut self, muted: bool) {
        self.muted = muted;
    }

    /// Sets the most bits per second.
    ///
    /// # Errors
    /// Where the encoder refuses.
    pub(crate) fn set_highest(&mut self, bitrate_bps: u32) -> Result<(), Error> {
        let advice = self.adaptation.set_highest(bitrate_bps);
        Ok(self.encoder.set_bitrate(advice.bitrate_bps)?)
    }

    /// Bits per second now.
    pub(crate) fn bitrate_bps(&self) -> u32 {
        self.adaptation.advice().bitrate_bps
    }

    /// The timestamp of the next packet.
    pub(crate) fn timestamp(&self) -> u32 {
        self.timestamp
    }

    fn is_direct(&self) -> bool {
        self.settings.queue.is_zero()
    }

    fn is_full(&self) -> bool {
        self.queue.len() >= self.packet_len
    }

    /// How long after its time a packet is filled up with silence. A source without a queue has its
    /// frames from a clock of its own, which may be late.
    fn slack(&self) -> Duration {
        if self.is_direct() { CATCH_UP_LIMIT } else { Duration::ZERO }
    }

    /// Begins anew after a pause, or for the first time.
    fn resume(&mut self, since: Duration, now: Duration) -> Result<Packet, Error> {
        self.pass(now.saturating_sub(since));
        self.pace = Pace::Due { at: now + self.settings.packet, silent: Duration::ZERO };
        self.send(true)
    }

    fn send_next(&mut self, at: Duration, now: Duration) -> Result<Packet, Error> {
        let late = now.saturating_sub(at);
        if late > CATCH_UP_LIMIT {
            return self.resume(at, now);
        }
        let from = if self.is_direct() { now } else { at };
        self.pace = Pace::Due { at: from + self.settings.packet, silent: Duration::ZERO };
        self.send(false)
    }

    /// Fills a packet up with silence.
    fn send_silence(&mut self, at: Duration, silent: Duration) -> Result<Packet, Error> {
        let is_empty = self.queue.is_empty();
        let silent = if is_empty { silent + self.settings.packet } else { Duration::ZERO };
        let next = at + self.settings.packet;
        let tail = if self.is_direct() { self.settings.packet } else { TAIL };
        self.pace =
            if silent >= tail { Pace::Paused(Some(next)) } else { Pace::Due { at: next, silent } };
        self.queue.resize(self.packet_len, 0);
        self.send(false)
    }

    /// Lets the timestamps go on over a pause, by whole packets.
    fn pass(&mut self, pause: Duration) {
        let packet = to_samples(self.settings.packet);
        let packets = to_samples(pause) / packet;
        self.timestamp = self.timestamp.wrapping_add((packets * packet) as u32);
    }

    /// Encodes the packet at the head of the queue.
    fn send(&mut self, marker: bool) -> Result<Packet, Error> {
        self.packet.clear();
        let waiting = self.queue.drain(..self.packet_len);
        if self.muted {
            drop(waiting);
            self.packet.resize(self.packet_len, 0);
        } else {
            self.packet.extend(waiting);
        }
        let timestamp = self.timestamp;
        let length = to_samples(self.settings.packet) as u32;
        self.timestamp = timestamp.wrapping_add(length);
        let level_dbov = below_overload(&self.packet);
        self.encoder.set_dtx(self.settings.dtx && level_dbov >= QUIET_DBOV)?;
        let payload = self.encoder.encode(&self.packet)?;
        Ok(Packet { timestamp, marker, payload, level_dbov })
    }
}
