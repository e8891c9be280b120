//! Sound that is received: packets of a section go to its jitter buffer, frames of 10 ms to those
//! who listen to its track.
//!
//! While nobody listens, packets are counted and dropped, and there is no buffer.

use std::time::{Duration, Instant};

use str0m::media::MediaKind;
use str0m::rtp::RtpPacket;
use tracing::warn;

use super::core::Core;
use super::media_stats::ReceivedReport;
use super::sections::Opus;
use super::transceivers::Transceiver;
use crate::imp::audio::clock::{FRAME, RATE_HZ};
use crate::imp::audio::jitter::{self, Arrival, JitterBuffer};
use crate::imp::audio::red;
use crate::imp::track::Track;
use crate::media_stream_track::MediaStreamTrack;

/// How often a frame is played.
const STEP: Duration = Duration::from_millis(10);

/// A task that comes later than this does not catch up: the frames between are left out.
const CATCH_UP_LIMIT: Duration = Duration::from_millis(200);

/// A peer that takes another SSRC sooner than this after the last is not followed.
const SWITCH_LIMIT: Duration = Duration::from_millis(100);

/// What arrived in a section.
#[derive(Default)]
pub(super) struct Inbound {
    pub(super) ssrc: u32,
    pub(super) packets: u64,
    pub(super) bytes: u64,
    pub(super) header_bytes: u64,
    /// What came with a payload type that was not agreed on, or from a stream not followed.
    pub(super) refused: u64,
    pub(super) last_at: Option<Instant>,
    /// Of the arrivals, in samples of 48 kHz (RFC 3550, section 6.4.1).
    pub(super) jitter: f64,
    /// What was counted by buffers that are no more.
    pub(super) before: jitter::Stats,
    /// The sum of levels squared times seconds, and the seconds.
    pub(super) energy: f64,
    pub(super) seconds: f64,
    /// The level of the last frame, 0.0 to 1.0.
    pub(super) level: f64,
    /// How long what was played had waited, and should have: seconds times samples.
    pub(super) delay: f64,
    pub(super) target_delay: f64,
    /// How often sound began to be made up.
    pub(super) concealments: u64,
    /// What the peer says of it.
    pub(super) report: ReceivedReport,
    sequences: Sequences,
    concealed: u64,
    conceals: bool,
    transit: Option<i64>,
    switched_at: Option<Instant>,
    began: Option<Instant>,
}

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

    /// Takes what the packet carries: itself, or others before it too.
    fn push(&mut self, packet: &RtpPacket, opus: &Opus) {
        let at = packet.timestamp.saturating_duration_since(self.began);
        let (sequence, timestamp) = (packet.header.sequence_number, packet.header.timestamp);
        if *packet.header.payload_type == opus.payload_type {
            return self.jitter.push(Arrival { sequence, timestamp, payload: &packet.payload }, at);
        }
        for block in red::blocks(&packet.payload, opus.payload_type) {
            let arrival = Arrival {
                sequence: sequence.wrapping_sub(block.back),
                timestamp: timestamp.wrapping_sub(block.offset),
                payload: block.payload,
            };
            self.jitter.push(arrival, at);
        }
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

impl Inbound {
    /// Counts a packet; says whether it is to be played.
    fn count(&mut self, packet: &RtpPacket, is_agreed: bool) -> Arrived {
        let (ssrc, now) = (*packet.header.ssrc, packet.timestamp);
        if !is_agreed {
            self.refused += 1;
            return Arrived::Refused;
        }
        let is_other = self.packets > 0 && self.ssrc != ssrc;
        if is_other && self.switched_at.is_some_and(|at| now < at + SWITCH_LIMIT) {
            self.refused += 1;
            return Arrived::Refused;
        }
        if is_other || self.packets == 0 {
            self.switched_at = Some(now);
            self.transit = None;
            self.sequences.restart();
        }
        self.ssrc = ssrc;
        self.packets += 1;
        self.sequences.count(*packet.seq_no);
        self.bytes += packet.payload.len() as u64;
        self.header_bytes += packet.header.header_len as u64;
        self.last_at = Some(now);
        self.note_transit(packet);
        if is_other { Arrived::Other } else { Arrived::Same }
    }

    fn note_transit(&mut self, packet: &RtpPacket) {
        let began = *self.began.get_or_insert(packet.timestamp);
        let arrival = packet.timestamp.saturating_duration_since(began).as_secs_f64();
        let arrival = (arrival * f64::from(RATE_HZ)) as i64;
        let transit = arrival - i64::from(packet.header.timestamp);
        if let Some(last) = self.transit.replace(transit) {
            // Timestamps wrap: half of their range is no jitter.
            let difference = (transit - last) as i32;
            self.jitter += (f64::from(difference).abs() - self.jitter) / 16.0;
        }
    }

    fn count_played(&mut self, frame: &[i16], stats: &jitter::Stats) {
        let squares: f64 = frame.iter().map(|&sample| f64::from(sample).powi(2)).sum();
        let mean = squares / frame.len() as f64 / f64::from(i16::MAX).powi(2);
        let seconds = STEP.as_secs_f64();
        self.level = mean.sqrt();
        self.energy += mean * seconds;
        self.seconds += seconds;
        let conceals = stats.concealed > self.concealed;
        self.concealments += u64::from(conceals && !self.conceals);
        (self.concealed, self.conceals) = (stats.concealed, conceals);
        if !conceals {
            let samples = FRAME as f64;
            self.delay += stats.actual_delay.as_secs_f64() * samples;
            self.target_delay += stats.target_delay.as_secs_f64() * samples;
        }
    }

    /// Packets that did not arrive, less those that arrived twice.
    pub(super) fn lost(&self) -> i64 {
        self.sequences.lost()
    }

    /// Keeps what a buffer has counted.
    fn keep(&mut self, stats: jitter::Stats) {
        self.before = self.before.plus(stats);
    }
}

/// Which packets of a stream came (RFC 3550, appendix A.3).
#[derive(Default)]
struct Sequences {
    /// The first and the last, without wraps.
    bounds: Option<(u64, u64)>,
    came: i64,
    /// Of the streams before.
    lost: i64,
}

impl Sequences {
    fn count(&mut self, sequence: u64) {
        let (first, last) = self.bounds.unwrap_or((sequence, sequence));
        self.bounds = Some((first.min(sequence), last.max(sequence)));
        self.came += 1;
    }

    fn lost(&self) -> i64 {
        let expected = self.bounds.map_or(0, |(first, last)| last - first + 1);
        self.lost + i64::try_from(expected).unwrap_or(i64::MAX) - self.came
    }

    fn restart(&mut self) {
        *self = Self { lost: self.lost(), ..Self::default() };
    }
}

/// What became of a packet.
enum Arrived {
    /// The stream goes on.
    Same,
    /// Another stream begins.
    Other,
    Refused,
}

impl Transceiver {
    /// Takes a packet. Returns whether it is the first of its stream.
    pub(super) fn receive(&mut self, packet: &RtpPacket) -> bool {
        let first = self.inbound.packets == 0;
        let is_agreed = self.kind != MediaKind::Audio
            || self.opus.is_some_and(|opus| opus.carries(*packet.header.payload_type));
        let begins = match self.inbound.count(packet, is_agreed) {
            Arrived::Refused => return false,
            Arrived::Other => {
                self.restart(packet.timestamp);
                true
            }
            Arrived::Same => first,
        };
        if let (Some(hearing), Some(opus)) = (&mut self.hearing, &self.opus) {
            hearing.push(packet, opus);
        }
        begins
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
        let begins = transceiver.receive(packet);
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
