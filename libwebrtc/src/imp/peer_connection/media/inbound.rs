//! What arrived in a section, counted.

use std::time::{Duration, Instant};

use str0m::rtp::RtpPacket;

use super::stats::ReceivedReport;
use crate::imp::audio::clock::{FRAME, RATE_HZ};
use crate::imp::audio::jitter;

/// A peer that takes another SSRC sooner than this after the last is not followed.
const SWITCH_LIMIT: Duration = Duration::from_millis(100);

/// For so long after a stream was left for another, what still comes of it is late and no return.
const RETURN_LIMIT: Duration = Duration::from_secs(2);

/// A packet, as far as it matters here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Received<'a> {
    pub(super) ssrc: u32,
    pub(super) payload_type: u8,
    /// Without wraps.
    pub(super) sequence: u64,
    pub(super) timestamp: u32,
    pub(super) header_len: usize,
    pub(super) payload: &'a [u8],
    pub(super) at: Instant,
}

impl<'a> Received<'a> {
    pub(super) fn new(packet: &'a RtpPacket) -> Self {
        Self {
            ssrc: *packet.header.ssrc,
            payload_type: *packet.header.payload_type,
            sequence: *packet.seq_no,
            timestamp: packet.header.timestamp,
            header_len: packet.header.header_len,
            payload: &packet.payload,
            at: packet.timestamp,
        }
    }
}

/// What arrived in a section.
#[derive(Default)]
pub(super) struct Inbound {
    pub(super) ssrc: u32,
    pub(super) packets: u64,
    pub(super) bytes: u64,
    pub(super) header_bytes: u64,
    /// What came with a payload type that was not agreed on, or from a stream not followed.
    pub(super) refused: u64,
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
    transit: Option<i64>,
    /// When the stream before was left, and which it was.
    switched: Option<(Instant, u32)>,
    began: Option<Instant>,
    sequences: Sequences,
    concealed: u64,
    conceals: bool,
}

impl Inbound {
    /// Counts a packet; says whether it is to be played. `is_agreed` says whether its payload type
    /// is one of the section's.
    pub(super) fn count(&mut self, packet: &Received<'_>, is_agreed: bool) -> Arrived {
        if !is_agreed || !self.follows(packet) {
            self.refused += 1;
            return Arrived::Refused;
        }
        let is_first = self.packets == 0;
        let is_other = !is_first && self.ssrc != packet.ssrc;
        if is_other {
            self.switched = Some((packet.at, self.ssrc));
            self.transit = None;
            self.sequences.restart();
        }
        self.ssrc = packet.ssrc;
        self.packets += 1;
        self.bytes += packet.payload.len() as u64;
        self.header_bytes += packet.header_len as u64;
        // Repairs are late by nature.
        if self.sequences.count(packet.sequence) {
            self.note_transit(packet);
        }
        match (is_first, is_other) {
            (true, _) => Arrived::First,
            (_, true) => Arrived::Other,
            _ => Arrived::Same,
        }
    }

    /// Whether the packet is of the stream that is played, or of another that takes its place.
    fn follows(&self, packet: &Received<'_>) -> bool {
        let Some((at, left)) = self.switched else { return true };
        let since = packet.at.saturating_duration_since(at);
        let limit = if left == packet.ssrc { RETURN_LIMIT } else { SWITCH_LIMIT };
        packet.ssrc == self.ssrc || since >= limit
    }

    fn note_transit(&mut self, packet: &Received<'_>) {
        let began = *self.began.get_or_insert(packet.at);
        let arrival = packet.at.saturating_duration_since(began).as_secs_f64();
        let arrival = (arrival * f64::from(RATE_HZ)) as i64;
        let transit = arrival - i64::from(packet.timestamp);
        if let Some(last) = self.transit.replace(transit) {
            // Timestamps wrap: half of their range is no jitter.
            let difference = (transit - last) as i32;
            self.jitter += (f64::from(difference).abs() - self.jitter) / 16.0;
        }
    }

    /// Counts a frame that was played.
    pub(super) fn count_played(&mut self, frame: &[i16], stats: &jitter::Stats) {
        let squares: f64 = frame.iter().map(|&sample| f64::from(sample).powi(2)).sum();
        let mean = squares / frame.len() as f64 / f64::from(i16::MAX).powi(2);
        let seconds = FRAME as f64 / f64::from(RATE_HZ);
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
    pub(super) fn keep(&mut self, stats: jitter::Stats) {
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
    /// Counts a packet; says whether it is the newest.
    fn count(&mut self, sequence: u64) -> bool {
        let is_newest = self.bounds.is_none_or(|(_, last)| sequence > last);
        let (first, last) = self.bounds.unwrap_or((sequence, sequence));
        self.bounds = Some((first.min(sequence), last.max(sequence)));
        self.came += 1;
        is_newest
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
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Arrived {
    /// A stream begins.
    First,
    /// The stream goes on.
    Same,
    /// Another stream takes its place.
    Other,
    /// It is not played.
    Refused,
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPUS: u8 = 111;

    struct Line {
        inbound: Inbound,
        began: Instant,
    }

    impl Line {
        fn new() -> Self {
            let began = tokio::time::Instant::now().into_std();
            Self { inbound: Inbound::default(), began }
        }

        /// A packet of 20 ms that comes so many milliseconds after the beginning.
        fn arrive(&mut self, ssrc: u32, sequence: u64, at_ms: u64) -> Arrived {
            let packet = Received {
                ssrc,
                payload_type: OPUS,
                sequence,
                timestamp: sequence as u32 * 960,
                header_len: 20,
                payload: &[0; 60],
                at: self.began + Duration::from_millis(at_ms),
            };
            self.inbound.count(&packet, true)
        }
    }

    #[test]
    fn packets_that_do_not_come_are_lost_until_they_do() {
        let mut line = Line::new();
        assert_eq!(line.arrive(1, 65_534, 0), Arrived::First);
        assert_eq!(line.arrive(1, 65_537, 60), Arrived::Same);
        assert_eq!(line.inbound.lost(), 2);
        line.arrive(1, 65_535, 80);
        assert_eq!(line.inbound.lost(), 1);
        assert_eq!((line.inbound.packets, line.inbound.bytes), (3, 180));
        assert_eq!(line.inbound.header_bytes, 60);
    }

    #[test]
    fn jitter_is_that_of_the_newest_packets() {
        let mut line = Line::new();
        for sequence in 0..500 {
            line.arrive(1, sequence, sequence * 20);
        }
        assert!(line.inbound.jitter < 1.0, "{}", line.inbound.jitter);
        for sequence in 500..1_000 {
            line.arrive(1, sequence, sequence * 20 + sequence % 2 * 10);
            line.arrive(1, sequence - 100, sequence * 20 + 10);
        }
        assert!((line.inbound.jitter - 480.0).abs() < 5.0, "{}", line.inbound.jitter);
    }

    #[test]
    fn another_stream_is_followed_and_stragglers_of_the_first_are_not() {
        let mut line = Line::new();
        line.arrive(1, 7, 0);
        line.arrive(1, 9, 40);
        assert_eq!(line.arrive(2, 50_000, 60), Arrived::Other);
        assert_eq!(line.arrive(1, 8, 200), Arrived::Refused);
        assert_eq!(line.arrive(2, 50_001, 80), Arrived::Same);
        assert_eq!((line.inbound.lost(), line.inbound.refused), (1, 1));
        assert_eq!(line.arrive(1, 10, 3_000), Arrived::Other, "a return");
    }

    #[test]
    fn a_peer_that_takes_another_stream_each_time_is_not_followed() {
        let mut line = Line::new();
        let begun = (0..1_000).filter(|&k| line.arrive(k as u32, 0, k) != Arrived::Refused);
        assert_eq!(begun.count(), 11, "one each 100 ms, and the first two");
    }

    #[test]
    fn what_is_not_opus_is_refused() {
        let mut line = Line::new();
        for payload_type in [0, 63, 96] {
            let at = line.began;
            let packet = Received {
                ssrc: 1,
                payload_type,
                sequence: 1,
                timestamp: 0,
                header_len: 12,
                payload: &[],
                at,
            };
            assert_eq!(line.inbound.count(&packet, false), Arrived::Refused);
        }
        assert_eq!((line.inbound.refused, line.inbound.packets), (3, 0));
    }
}
