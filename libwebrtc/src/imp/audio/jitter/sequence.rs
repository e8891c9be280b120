//! Sequence numbers and timestamps without wraps, and what they say of a packet: whether it is
//! new, came before, or belongs to a sender that began anew.
//!
//! A number far from the newest is believed when the next packet goes on from it (RFC 3550,
//! appendix A.1); until then that one packet is held. A sender that began anew is joined to what
//! went before without a gap, so that positions only ever grow.

use super::buffer::Arrival;

/// Packets this many behind the newest are of another stream, or of no use.
const MISORDER_LIMIT: i64 = 127;

/// Sequence numbers this far ahead are of another stream: a minute of packets of 20 ms.
const DROPOUT_LIMIT: i64 = 3_000;

/// A packet with its place in the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Packet {
    /// Grows by one from packet to packet.
    pub(super) sequence: i64,
    /// Its first sample. Always within the stream: restarts leave no gap.
    pub(super) timestamp: i64,
    /// Its length.
    pub(super) samples: i64,
    /// When it came.
    pub(super) arrival: i64,
    pub(super) payload: Vec<u8>,
}

impl Packet {
    /// The sample after its last.
    pub(super) fn end(&self) -> i64 {
        self.timestamp + self.samples
    }
}

/// A packet as it came, with what is known of it before its place is.
#[derive(Debug)]
pub(super) struct Unplaced {
    pub(super) sequence: u16,
    pub(super) timestamp: u32,
    pub(super) samples: i64,
    pub(super) arrival: i64,
    pub(super) payload: Vec<u8>,
}

impl Unplaced {
    /// `samples` is what the payload decodes to.
    pub(super) fn new(packet: &Arrival<'_>, samples: i64, arrival: i64) -> Self {
        Self {
            sequence: packet.sequence,
            timestamp: packet.timestamp,
            samples,
            arrival,
            payload: packet.payload.to_vec(),
        }
    }

    fn at(self, sequence: i64, timestamp: i64) -> Packet {
        let Self { samples, arrival, payload, .. } = self;
        Packet { sequence, timestamp, samples, arrival, payload }
    }
}

/// What a packet turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Placed {
    /// The newest so far.
    Newest(Packet),
    /// New, but behind the newest.
    Behind(Packet),
    /// It came before.
    Duplicate,
    /// Far from the newest: held until the next one tells. One that was held before is given up.
    Held {
        /// Whether an older one was given up for it.
        displaced: bool,
    },
    /// The sender began anew, with the one that was held and this one.
    Restarted([Packet; 2]),
}

/// Follows the numbers of one stream.
#[derive(Debug, Default)]
pub(super) struct Sequence {
    newest: Option<Newest>,
    held: Option<Unplaced>,
    first: i64,
    unique: i64,
}

#[derive(Debug)]
struct Newest {
    sequence: u16,
    timestamp: u32,
    /// The same without wraps.
    place: (i64, i64),
    samples: i64,
    /// Bit `n` says that the packet `n` before the newest came.
    seen: u128,
}

impl Sequence {
    /// Gives `packet` its place.
    pub(super) fn place(&mut self, packet: Unplaced) -> Placed {
        let Some(newest) = &mut self.newest else {
            return Placed::Newest(self.begin(packet));
        };
        let steps = i64::from(packet.sequence.wrapping_sub(newest.sequence).cast_signed());
        let ticks = i64::from(packet.timestamp.wrapping_sub(newest.timestamp).cast_signed());
        if (1..=DROPOUT_LIMIT).contains(&steps) && ticks > 0 {
            self.unique += 1;
            return Placed::Newest(newest.advance(packet, steps, ticks));
        }
        if steps == 0 && ticks == 0 {
            return Placed::Duplicate;
        }
        if (-MISORDER_LIMIT..0).contains(&steps) && ticks < 0 {
            if newest.has(-steps) {
                return Placed::Duplicate;
            }
            newest.seen |= 1 << -steps;
            self.unique += 1;
            let (sequence, timestamp) = newest.place;
            return Placed::Behind(packet.at(sequence + steps, timestamp + ticks));
        }
        self.hold(packet)
    }

    /// Packets that did not come, or not yet, up to the newest.
    pub(super) fn lost(&self) -> u64 {
        let Some(newest) = &self.newest else { return 0 };
        let expected = newest.place.0 - self.first + 1;
        u64::try_from(expected - self.unique).unwrap_or(0)
    }

    fn begin(&mut self, packet: Unplaced) -> Packet {
        let place = (i64::from(packet.sequence), i64::from(packet.timestamp));
        self.first = place.0;
        self.unique = 1;
        self.newest = Some(Newest::new(&packet, place));
        packet.at(place.0, place.1)
    }

    /// Holds a packet that fits nowhere, or begins anew where it goes on from the one held.
    fn hold(&mut self, packet: Unplaced) -> Placed {
        let follows = |held: &Unplaced| {
            let ticks = packet.timestamp.wrapping_sub(held.timestamp).cast_signed();
            packet.sequence == held.sequence.wrapping_add(1) && ticks > 0
        };
        match self.held.take() {
            Some(held) if follows(&held) => Placed::Restarted(self.restart(held, packet)),
            held => {
                self.held = Some(packet);
                Placed::Held { displaced: held.is_some() }
            }
        }
    }

    fn restart(&mut self, first: Unplaced, second: Unplaced) -> [Packet; 2] {
        let newest = self.newest.as_mut().expect("only a begun stream can begin anew");
        let (sequence, timestamp) = newest.place;
        let place = (sequence + 1, timestamp + newest.samples);
        let ticks = i64::from(second.timestamp.wrapping_sub(first.timestamp));
        *newest = Newest::new(&first, place);
        self.unique += 2;
        [first.at(place.0, place.1), newest.advance(second, 1, ticks)]
    }
}

impl Newest {
    fn new(packet: &Unplaced, place: (i64, i64)) -> Self {
        let Unplaced { sequence, timestamp, samples, .. } = *packet;
        Self { sequence, timestamp, place, samples, seen: 1 }
    }

    fn has(&self, behind: i64) -> bool {
        self.seen >> behind & 1 == 1
    }

    fn advance(&mut self, packet: Unplaced, steps: i64, ticks: i64) -> Packet {
        let shift = u32::try_from(steps).unwrap_or(u32::MAX);
        let seen = self.seen.checked_shl(shift).unwrap_or(0) | 1;
        let place = (self.place.0 + steps, self.place.1 + ticks);
        *self = Self { seen, ..Self::new(&packet, place) };
        packet.at(place.0, place.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unplaced(sequence: u16, timestamp: u32) -> Unplaced {
        Unplaced { sequence, timestamp, samples: 960, arrival: 0, payload: Vec::new() }
    }

    /// The places that a stream of (sequence, timestamp) gets; what gets none is left out.
    fn places(stream: &[(u16, u32)]) -> Vec<(i64, i64)> {
        let mut sequence = Sequence::default();
        let place =
            |&(number, timestamp): &(u16, u32)| match sequence.place(unplaced(number, timestamp)) {
                Placed::Newest(packet) | Placed::Behind(packet) => vec![packet],
                Placed::Restarted(packets) => packets.to_vec(),
                Placed::Duplicate | Placed::Held { .. } => vec![],
            };
        let packets = stream.iter().flat_map(place);
        packets.map(|packet| (packet.sequence, packet.timestamp)).collect()
    }

    #[test]
    fn numbers_and_timestamps_wrap() {
        let stream = [(65_534, u32::MAX - 959), (65_535, 0), (0, 960), (1, 1_920)];
        let start = i64::from(u32::MAX - 959);
        let expected: Vec<_> = (0..4).map(|k| (65_534 + k, start + 960 * k)).collect();
        assert_eq!(places(&stream), expected);
    }

    #[test]
    fn reordered_packets_get_their_place_and_repeated_ones_none() {
        let stream = [(5, 4_800), (7, 6_720), (6, 5_760), (6, 5_760), (7, 6_720), (5, 4_800)];
        assert_eq!(places(&stream), [(5, 4_800), (7, 6_720), (6, 5_760)]);
    }

    #[test]
    fn reordering_over_a_wrap_is_no_restart() {
        let stream = [(0, 960), (65_535, 0), (65_534, u32::MAX - 959)];
        assert_eq!(places(&stream), [(0, 960), (-1, 0), (-2, -960)]);
    }

    #[test]
    fn a_restart_is_believed_at_its_second_packet_and_leaves_no_gap() {
        let stream = [(10, 9_600), (40_000, 77), (40_001, 1_037), (40_002, 1_997)];
        assert_eq!(places(&stream), [(10, 9_600), (11, 10_560), (12, 11_520), (13, 12_480)]);
    }

    #[test]
    fn one_strange_packet_changes_nothing() {
        let stream = [(10, 9_600), (40_000, 77), (11, 10_560), (12, 11_520)];
        assert_eq!(places(&stream), [(10, 9_600), (11, 10_560), (12, 11_520)]);
    }

    #[test]
    fn a_number_too_far_ahead_is_not_believed_at_once() {
        let ahead = |steps: i64| (10 + steps as u16, 9_600 + 960 * steps as u32);
        assert_eq!(places(&[(10, 9_600), ahead(DROPOUT_LIMIT)]).len(), 2);
        assert_eq!(places(&[(10, 9_600), ahead(DROPOUT_LIMIT + 1)]).len(), 1);
    }

    #[test]
    fn a_timestamp_that_runs_backwards_is_a_restart() {
        let stream = [(10, 96_000), (11, 50), (12, 1_010)];
        assert_eq!(places(&stream), [(10, 96_000), (11, 96_960), (12, 97_920)]);
    }

    #[test]
    fn lost_are_those_that_have_not_come() {
        let mut sequence = Sequence::default();
        let mut lost_after = |number: u16| {
            let _ = sequence.place(unplaced(number, u32::from(number) * 960));
            sequence.lost()
        };
        assert_eq!([1, 4, 4, 3, 2, 5].map(&mut lost_after), [0, 2, 2, 1, 0, 0]);
    }
}
