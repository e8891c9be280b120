//! What a jitter buffer counts.

use std::time::Duration;

/// Counts since the beginning of a stream, and the delays of the moment. Samples are per channel,
/// at 48 kHz.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stats {
    /// Packets that came, each once.
    pub(crate) received: u64,
    /// Packets that did not come, or have not come yet, up to the newest.
    pub(crate) lost: u64,
    /// Packets that came after their time. They count as received.
    pub(crate) late: u64,
    /// Packets that came again.
    pub(crate) duplicates: u64,
    /// Packets that were thrown away: too much of them, or too old after an outage.
    pub(crate) discarded: u64,
    /// Payloads that are no Opus packet, or that the decoder refused.
    pub(crate) invalid: u64,
    /// Times at which the sender began anew.
    pub(crate) restarts: u64,
    /// Samples that were given out.
    pub(crate) played: u64,
    /// Samples that were made up for packets that had not come.
    pub(crate) concealed: u64,
    /// Samples that were restored from the packet after.
    pub(crate) restored: u64,
    /// Samples left out in pauses or by running faster.
    pub(crate) removed: u64,
    /// Samples put in in pauses or by running slower.
    pub(crate) inserted: u64,
    /// How long after the earliest possible moment a sample should be played.
    pub(crate) target_delay: Duration,
    /// How long after it a sample is played.
    pub(crate) actual_delay: Duration,
}

impl Stats {
    /// The counts of two streams together, with the delays of the second.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            received: self.received + other.received,
            lost: self.lost + other.lost,
            late: self.late + other.late,
            duplicates: self.duplicates + other.duplicates,
            discarded: self.discarded + other.discarded,
            invalid: self.invalid + other.invalid,
            restarts: self.restarts + other.restarts,
            played: self.played + other.played,
            concealed: self.concealed + other.concealed,
            restored: self.restored + other.restored,
            removed: self.removed + other.removed,
            inserted: self.inserted + other.inserted,
            target_delay: other.target_delay,
            actual_delay: other.actual_delay,
        }
    }
}
