//! Sound that is received: packets of a section go to its jitter buffer, frames of 10 ms to those
//! who listen to its track.
//!
//! While nobody listens, packets are counted and dropped, and there is no buffer.

use std::time::{Duration, Instant};

use str0m::media::MediaKind;
use str0m::rtp::RtpPacket;
use tracing::warn;

use super::core::Core;
use super::inbound::{Arrived, Inbound, Received};
use super::transceivers::Transceiver;
use crate::imp::audio::clock::{FRAME, RATE_HZ};
use crate::imp::audio::jitter::{self, Arrival, JitterBuffer};
use crate::imp::track::Track;
use crate::media_stream_track::MediaStreamTrack;

/// How often a frame is played.
const STEP: Duration = Duration::from_millis(10);

/// A task that comes later than this does not catch up: the frames between are left out.
const CATCH_UP_LIMIT: Duration = Duration::from_millis(200);

/// A track that somebody listens to.
pub(super) struct Hearing {
    jitter: JitterBuffer,
    channels: u32,
    began: Instant,
    next: Instant,
    frame: Vec<i16>,
}

impl Hearing {
    fn new(channels: u32, now: Instant) -> Option<Self> {
        let jitter = JitterBuffer::new(channels)
            .inspect_err(|error| warn!(%error, "the track cannot be heard"))
            .ok()?;
        Some(Self { jitter, channels, began: now, next: now, frame: Vec::new() })
    }

    fn push(&mut self, packet: &Received<'_>) {
        let arrival = Arrival {
            sequence: packet.sequence as u16,
            timestamp: packet.timestamp,
            payload: packet.payload,
        };
        self.jitter.push(arrival, packet.at.saturating_duration_since(self.began));
    }

    /// Plays the frames that are due.
    fn play(&mut self, now: Instant, track: &Track, inbound: &mut Inbound) {
        if now.saturating_duration_since(self.next) > CATCH_UP_LIMIT {
            self.next = now;
        }
        while self.next <= now {
            self.frame.clear();
            self.jitter.pull(self.next - self.began, &mut self.frame);
            self.next += STEP;
            if !track.enabled() {
                self.frame.fill(0);
            }
            inbound.count_played(&self.frame, &self.jitter.stats());
            track.give(&self.frame, self.channels);
        }
    }

    pub(super) fn stats(&self) -> jitter::Stats {
        self.jitter.stats()
    }
}

impl Transceiver {
    /// Takes a packet. Returns whether it is the first of its stream.
    pub(super) fn receive(&mut self, packet: &Received<'_>) -> bool {
        let payload_type = (self.kind == MediaKind::Audio)
            .then(|| self.opus.map_or(u8::MAX, |opus| opus.payload_type));
        let arrived = self.inbound.count(packet, payload_type);
        match arrived {
            Arrived::Refused => return false,
            Arrived::Other => self.restart(packet.at),
            Arrived::First | Arrived::Same => {}
        }
        if let Some(hearing) = &mut self.hearing {
            hearing.push(packet);
        }
        arrived != Arrived::Same
    }

    /// Another stream has a buffer of its own, at the same pace.
    fn restart(&mut self, now: Instant) {
        let Some(old) = self.hearing.take() else { return };
        self.inbound.keep(old.stats());
        self.hearing = Hearing::new(old.channels, now).map(|new| Hearing { next: old.next, ..new });
        if let Some(hearing) = &mut self.hearing {
            hearing.began = hearing.began.min(hearing.next);
        }
    }

    /// Plays what is due to those who listen. Returns when the next frame is.
    fn play(&mut self, now: Instant) -> Option<Instant> {
        let MediaStreamTrack::Audio(track) = &self.received else { return None };
        let track = &track.handle;
        if !track.is_heard() {
            if let Some(hearing) = self.hearing.take() {
                self.inbound.keep(hearing.stats());
            }
            return None;
        }
        if self.hearing.as_ref().is_none_or(|hearing| hearing.next <= now) {
            let channels = track.wanted_channels().min(2);
            if let Some(other) = self.hearing.take_if(|hearing| hearing.channels != channels) {
                self.inbound.keep(other.stats());
            }
            if self.hearing.is_none() {
                self.hearing = Hearing::new(channels, now);
            }
        }
        let hearing = self.hearing.as_mut()?;
        hearing.play(now, track, &mut self.inbound);
        Some(hearing.next)
    }

    /// What was counted of the sound until now.
    pub(super) fn heard(&self) -> jitter::Stats {
        let now = self.hearing.as_ref().map(Hearing::stats).unwrap_or_default();
        self.inbound.before.plus(now)
    }
}

impl Core {
    /// A packet that arrived; it is whole and its own.
    pub(super) fn on_packet(&mut self, packet: &RtpPacket) {
        let ssrc = packet.header.ssrc;
        let mid = self.rtc.direct_api().stream_rx(&ssrc).map(|stream| stream.mid());
        let transceiver = mid.and_then(|mid| self.transceivers.by_mid(mid));
        let Some(transceiver) = transceiver else { return };
        let begins = transceiver.receive(&Received::new(packet));
        let repairs = transceiver.opus.is_some_and(|opus| opus.nack);
        if begins
            && repairs
            && let Some(stream) = self.rtc.direct_api().stream_rx(&ssrc)
        {
            // str0m asks for nothing again where repairs have no stream of their own. Sound's come
            // in its own.
            stream.suppress_nack(false);
        }
    }

    /// Plays the sound that is due. Returns when the next is.
    pub(super) fn play_sound(&mut self, now: Instant) -> Option<Instant> {
        self.transceivers.iter_mut().filter_map(|it| it.play(now)).min()
    }
}

const _: () = assert!(FRAME as u128 * 1_000 == STEP.as_millis() * RATE_HZ as u128);
