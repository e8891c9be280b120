//! The receiving half: packets come in, are put in order and measured.

use super::super::packet;
use super::buffer::Arrival;
use super::delay::{Delay, LONGEST_TARGET};
use super::packets::{Packets, Stored};
use super::sequence::{Packet, Placed, Sequence, Unplaced};
use super::stats::Stats;

/// Above this share of lost packets, and of packets that carry redundancy, sound waits for the
/// packet after, so that it can restore the one before.
const REPAIR_SHARE: f32 = 0.01;

/// What a packet weighs in these shares.
const WEIGHT: f32 = 1.0 / 128.0;

/// What has come and waits.
#[derive(Debug)]
pub(super) struct Intake {
    sequence: Sequence,
    packets: Packets,
    delay: Delay,
    lost_share: f32,
    redundant_share: f32,
    restorable: i64,
}

impl Intake {
    pub(super) fn new() -> Self {
        Self {
            sequence: Sequence::default(),
            packets: Packets::default(),
            delay: Delay::new(),
            lost_share: 0.0,
            redundant_share: 0.0,
            restorable: 0,
        }
    }

    /// Takes a packet that came at `now`. What ends at or before `position` has been played.
    pub(super) fn push(
        &mut self,
        packet: &Arrival<'_>,
        now: i64,
        position: i64,
        stats: &mut Stats,
    ) {
        let Some(samples) = packet::samples(packet.payload) else {
            stats.invalid += 1;
            return;
        };
        match self.sequence.place(Unplaced::new(packet, samples as i64, now)) {
            Placed::Newest(packet) => self.store(packet, true, position, stats),
            Placed::Behind(packet) => self.store(packet, false, position, stats),
            Placed::Duplicate => stats.duplicates += 1,
            Placed::Held { displaced } => stats.discarded += u64::from(displaced),
            Placed::Restarted(packets) => {
                stats.restarts += 1;
                self.delay.begin(packets[0].timestamp, packets[0].arrival);
                for packet in packets {
                    self.store(packet, true, position, stats);
                }
            }
        }
        stats.lost = self.sequence.lost();
    }

    /// The oldest packet that waits.
    pub(super) fn front(&self) -> Option<&Packet> {
        self.packets.front()
    }

    /// Takes the oldest packet out, to be played after the one numbered `expected - 1`.
    pub(super) fn pop(&mut self, expected: i64) -> Option<Packet> {
        let packet = self.packets.pop()?;
        for _ in expected..packet.sequence.min(expected + 100) {
            self.lost_share += WEIGHT * (1.0 - self.lost_share);
        }
        self.lost_share -= WEIGHT * self.lost_share;
        let restorable = packet::restorable(&packet.payload) as i64;
        let carries = if restorable > 0 { 1.0 } else { 0.0 };
        self.redundant_share += WEIGHT * (carries - self.redundant_share);
        self.restorable = self.restorable.max(restorable);
        Some(packet)
    }

    /// Throws packets away that end at or before `position`.
    pub(super) fn expire(&mut self, position: i64, stats: &mut Stats) {
        while self.packets.front().is_some_and(|packet| packet.end() <= position) {
            self.packets.pop();
            stats.late += 1;
        }
    }

    /// Where the oldest packet would be played more than `excess` too late at `at`, throws packets
    /// away until one is in time. Says whether it did.
    pub(super) fn skip(&mut self, at: i64, excess: i64, stats: &mut Stats) -> bool {
        let target = self.target();
        let delay = |packet: &Packet| self.delay.of(packet.timestamp, at);
        if self.packets.front().and_then(delay) <= Some(target + excess) {
            return false;
        }
        let mut skipped = false;
        while self.packets.second().and_then(delay) >= Some(target) {
            self.packets.pop();
            stats.discarded += 1;
            skipped = true;
        }
        skipped
    }

    /// How long after the earliest possible moment the sample `timestamp` is played at `at`.
    pub(super) fn delay_of(&self, timestamp: i64, at: i64) -> Option<i64> {
        self.delay.of(timestamp, at)
    }

    /// How long it should be.
    pub(super) fn target(&self) -> i64 {
        let repairs = self.lost_share > REPAIR_SHARE && self.redundant_share > REPAIR_SHARE;
        let repair = if repairs { self.restorable } else { 0 };
        (self.delay.target() + repair).min(LONGEST_TARGET)
    }

    fn store(&mut self, packet: Packet, is_newest: bool, position: i64, stats: &mut Stats) {
        stats.received += 1;
        self.delay.note(packet.timestamp, packet.samples, packet.arrival, is_newest);
        if packet.end() <= position {
            stats.late += 1;
            return;
        }
        match self.packets.insert(packet) {
            Stored::Waits => {}
            Stored::Displaced => stats.discarded += 1,
            Stored::Occupied => stats.duplicates += 1,
        }
    }

    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn waiting(&self) -> usize {
        self.packets.len()
    }
}
