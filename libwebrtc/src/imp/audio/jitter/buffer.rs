//! The buffer as its users see it: packets in, frames out.

use std::time::Duration;

use super::super::clock::{FRAME, to_duration, to_samples};
use super::super::opus::{Decode, Decoder, Error};
use super::correct::Output;
use super::intake::Intake;
use super::stats::Stats;
use super::timeline::Timeline;

/// A packet as it came from the network.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival<'a> {
    /// RTP's sequence number.
    pub(crate) sequence: u16,
    /// RTP's timestamp, in samples of 48 kHz.
    pub(crate) timestamp: u32,
    /// An Opus packet.
    pub(crate) payload: &'a [u8],
}

/// Turns packets of one stream (one SSRC) into frames of 10 ms at 48 kHz.
///
/// Times are counted from any moment, the same for both methods, and by a clock that does not run
/// backwards.
#[derive(Debug)]
pub(crate) struct JitterBuffer<D = Decoder> {
    channels: usize,
    intake: Intake,
    timeline: Timeline<D>,
    output: Output,
    stats: Stats,
}

impl JitterBuffer {
    /// A buffer that gives 1 or 2 channels.
    ///
    /// # Errors
    /// At another number of channels.
    pub(crate) fn new(channels: u32) -> Result<Self, Error> {
        Ok(Self::with_decoder(Decoder::new(channels)?, channels as usize))
    }
}

impl<D: Decode> JitterBuffer<D> {
    /// A buffer with a decoder of its own, which gives so many channels.
    pub(crate) fn with_decoder(decoder: D, channels: usize) -> Self {
        Self {
            channels,
            intake: Intake::new(),
            timeline: Timeline::new(decoder, channels),
            output: Output::new(channels),
            stats: Stats::default(),
        }
    }

    /// Takes a packet that came at `now`.
    pub(crate) fn push(&mut self, packet: Arrival<'_>, now: Duration) {
        let position = self.timeline.position();
        self.intake.push(&packet, to_samples(now), position, &mut self.stats);
    }

    /// Appends the frame that is heard from `now` on to `out`: 480 samples per channel,
    /// interleaved. The consumer's clock rules: each call gives a frame, silence where nothing has
    /// come.
    pub(crate) fn pull(&mut self, now: Duration, out: &mut Vec<i16>) {
        let now = to_samples(now);
        while self.output.unplayed() < self.output.needs() {
            let at = now + self.output.unplayed() as i64;
            let queue = self.output.queue();
            self.timeline.advance(&mut self.intake, at, queue, &mut self.stats);
        }
        let error = self.actual_delay(now).map(|actual| actual - self.intake.target());
        self.output.note(error);
        let before = out.len();
        self.output.take(out, &mut self.stats);
        debug_assert_eq!(out.len() - before, FRAME * self.channels);
    }

    /// What was counted until now.
    pub(crate) fn stats(&self) -> Stats {
        let target = self.intake.target();
        let actual = self.output.error().map_or(0, |error| target + error);
        let (target_delay, actual_delay) = (to_duration(target), to_duration(actual));
        Stats { target_delay, actual_delay, ..self.stats }
    }

    /// How long after the earliest possible moment the next sample is played at `now`.
    fn actual_delay(&self, now: i64) -> Option<i64> {
        let next = || self.timeline.position() - self.output.unplayed() as i64;
        self.timeline.is_playing().then(|| self.intake.delay_of(next(), now)).flatten()
    }

    /// Packets that wait, and samples per channel that were decoded and not played.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn waiting(&self) -> (usize, usize) {
        (self.intake.waiting(), self.output.unplayed())
    }
}
