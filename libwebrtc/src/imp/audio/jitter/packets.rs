//! Packets that wait for their time, in the order of the stream.

use std::collections::BTreeMap;

use super::sequence::Packet;

/// Most packets that wait: more than the longest delay holds of the shortest packets that are
/// sent, and half a megabyte at the most.
pub(super) const PACKETS_LIMIT: usize = 128;

/// Holds packets by their first sample.
#[derive(Debug, Default)]
pub(super) struct Packets {
    by_timestamp: BTreeMap<i64, Packet>,
}

/// What became of a packet.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stored {
    /// It waits.
    Waits,
    /// It waits, and the oldest was thrown away for it.
    Displaced,
    /// Another one stands at the same sample.
    Occupied,
}

impl Packets {
    /// Takes a packet in; throws the oldest away when there are too many.
    pub(super) fn insert(&mut self, packet: Packet) -> Stored {
        if self.by_timestamp.contains_key(&packet.timestamp) {
            return Stored::Occupied;
        }
        self.by_timestamp.insert(packet.timestamp, packet);
        if self.by_timestamp.len() <= PACKETS_LIMIT {
            return Stored::Waits;
        }
        self.by_timestamp.pop_first();
        Stored::Displaced
    }

    /// The oldest.
    pub(super) fn front(&self) -> Option<&Packet> {
        self.by_timestamp.first_key_value().map(|(_, packet)| packet)
    }

    /// The one after the oldest.
    pub(super) fn second(&self) -> Option<&Packet> {
        self.by_timestamp.values().nth(1)
    }

    /// Takes the oldest out.
    pub(super) fn pop(&mut self) -> Option<Packet> {
        self.by_timestamp.pop_first().map(|(_, packet)| packet)
    }

    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn len(&self) -> usize {
        self.by_timestamp.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_too_many_packets_the_oldest_goes() {
        let mut packets = Packets::default();
        let packet = |number: i64| Packet {
            sequence: number,
            timestamp: number * 960,
            samples: 960,
            arrival: 0,
            payload: Vec::new(),
        };
        for number in 0..PACKETS_LIMIT as i64 {
            assert_eq!(packets.insert(packet(number)), Stored::Waits);
        }
        assert_eq!(packets.insert(packet(PACKETS_LIMIT as i64)), Stored::Displaced);
        assert_eq!(packets.len(), PACKETS_LIMIT);
        assert_eq!(packets.front().map(|it| it.sequence), Some(1));
    }
}
