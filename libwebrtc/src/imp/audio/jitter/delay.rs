//! How late packets are, and so how long sound has to wait.
//!
//! The fastest packets of the last seconds tell when a sample can be here at the earliest. Each
//! packet's lateness against them goes into a histogram that forgets slowly; the target is the
//! lateness that all but a few do not exceed, and a little more.

use super::super::clock::{FRAME, ms};

/// The longest target. Jitter of 200 ms is covered; what comes later is repaired, not waited for.
pub(super) const LONGEST_TARGET: i64 = ms(240);

/// The shortest: a frame of the consumer's, and a timer or a thread that comes late.
const SHORTEST_TARGET: i64 = ms(20);

/// Sound is asked for in frames, so a packet is needed up to a frame before its time.
const MARGIN: i64 = FRAME as i64;

/// The histogram's resolution and reach.
const BUCKET: i64 = ms(5);
const BUCKETS: usize = 50;

/// The share of packets that may come too late.
const LATE_SHARE: f32 = 0.02;

/// The histogram forgets over so much of sound.
const MEMORY: f32 = ms(15_000) as f32;

/// Before anything was seen, packets are taken to be this late, as if so many had been.
const FIRST_GUESS: i64 = ms(25);
const FIRST_WEIGHT: f32 = 10.0;

/// The fastest packet is looked for in this long and the same time before.
const BLOCK: i64 = ms(4_000);

/// How much more delay it is worth to have packets that come behind later ones. Those that were
/// lost and sent again come after a round trip: over a long way they are made up for, rather than
/// all sound being late. Where packets overtake each other by more than this, those between lead
/// the target there step by step.
const REPAIR_WAIT: i64 = ms(60);

/// A packet that is this much later than the fastest is a new beginning: the route has changed, or
/// the sender's timestamps stood still while it paused.
const NEW_BEGINNING: i64 = ms(1_000);

/// Follows the lateness of packets. Times and timestamps are samples.
#[derive(Debug)]
pub(super) struct Delay {
    fastest: Option<Fastest>,
    shares: [f32; BUCKETS],
    /// How many packets the shares are made of, as far as that still matters.
    count: f32,
    target: i64,
}

/// The least difference of arrival and timestamp.
#[derive(Debug)]
struct Fastest {
    now: i64,
    before: i64,
    since: i64,
}

impl Delay {
    pub(super) fn new() -> Self {
        let mut shares = [0.0; BUCKETS];
        shares[bucket(FIRST_GUESS)] = 1.0;
        let mut delay = Self { fastest: None, shares, count: FIRST_WEIGHT, target: 0 };
        delay.target = delay.quantile();
        delay
    }

    /// Notes that the packet of `samples` at `timestamp` came at `arrival`. Only the newest of a
    /// stream can be a new beginning.
    pub(super) fn note(&mut self, timestamp: i64, samples: i64, arrival: i64, is_newest: bool) {
        let transit = arrival - timestamp;
        let Some(fastest) = &mut self.fastest else { return self.begin(timestamp, arrival) };
        if is_newest && transit - fastest.least() > NEW_BEGINNING {
            return self.begin(timestamp, arrival);
        }
        fastest.note(transit, arrival);
        let late = transit - fastest.least();
        if !is_newest && late > self.target + REPAIR_WAIT {
            return;
        }
        self.count += 1.0;
        let weight = (samples as f32 / MEMORY).clamp(1.0 / self.count, 1.0);
        for share in &mut self.shares {
            *share *= 1.0 - weight;
        }
        self.shares[bucket(late)] += weight;
        self.target = self.quantile();
    }

    /// Forgets when the fastest packet came: what comes is on another clock.
    pub(super) fn begin(&mut self, timestamp: i64, arrival: i64) {
        let transit = arrival - timestamp;
        self.fastest = Some(Fastest { now: transit, before: transit, since: arrival });
    }

    /// How long after the earliest possible moment the sample `timestamp` is played when it is
    /// played at `at`; `None` before the first packet.
    pub(super) fn of(&self, timestamp: i64, at: i64) -> Option<i64> {
        Some(at - timestamp - self.fastest.as_ref()?.least())
    }

    /// How long it should be, without what repair needs.
    pub(super) fn target(&self) -> i64 {
        self.target
    }

    fn quantile(&self) -> i64 {
        let mut later = 0.0;
        let reaches = |share: &f32| {
            later += share;
            later > LATE_SHARE
        };
        let bucket = self.shares.iter().rposition(reaches).unwrap_or(0);
        let edge = BUCKET * (bucket as i64 + 1);
        (edge + MARGIN).clamp(SHORTEST_TARGET, LONGEST_TARGET)
    }
}

impl Fastest {
    fn least(&self) -> i64 {
        self.now.min(self.before)
    }

    fn note(&mut self, transit: i64, arrival: i64) {
        if arrival - self.since >= BLOCK {
            *self = Self { now: transit, before: self.now, since: arrival };
        }
        self.now = self.now.min(transit);
    }
}

fn bucket(late: i64) -> usize {
    usize::try_from(late / BUCKET).unwrap_or(0).min(BUCKETS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: i64 = 960;

    /// Sends `count` packets of 20 ms, each late by what `late` says of its number.
    fn send(delay: &mut Delay, from: i64, count: i64, late: impl Fn(i64) -> i64) {
        for number in from..from + count {
            let timestamp = number * PACKET;
            delay.note(timestamp, PACKET, ms(70) + timestamp + late(number), true);
        }
    }

    #[test]
    fn a_clean_network_needs_little() {
        let mut delay = Delay::new();
        assert_eq!(delay.target(), ms(40));
        send(&mut delay, 0, 1_000, |_| 0);
        assert_eq!(delay.target(), SHORTEST_TARGET);
        assert_eq!(delay.of(500 * PACKET, ms(70) + 500 * PACKET + ms(20)), Some(ms(20)));
    }

    #[test]
    fn jitter_is_covered_within_two_seconds_and_forgotten_slowly() {
        let mut delay = Delay::new();
        send(&mut delay, 0, 1_000, |_| 0);
        send(&mut delay, 1_000, 100, |number| number % 5 * ms(40));
        assert!(delay.target() >= ms(160), "{}", delay.target());
        send(&mut delay, 1_100, 100, |_| 0);
        assert!(delay.target() >= ms(160), "two seconds later: {}", delay.target());
        send(&mut delay, 1_200, 3_000, |_| 0);
        assert_eq!(delay.target(), SHORTEST_TARGET);
    }

    #[test]
    fn the_target_has_an_end() {
        let mut delay = Delay::new();
        send(&mut delay, 0, 500, |number| number % 3 * ms(300));
        assert_eq!(delay.target(), LONGEST_TARGET);
    }

    #[test]
    fn a_longer_route_becomes_the_normal_one() {
        let mut delay = Delay::new();
        send(&mut delay, 0, 500, |_| 0);
        send(&mut delay, 500, 3_000, |_| ms(100));
        assert_eq!(delay.target(), SHORTEST_TARGET);
        assert_eq!(delay.of(0, ms(170)), Some(0));
    }

    #[test]
    fn a_leap_is_a_new_beginning_at_once() {
        let mut delay = Delay::new();
        send(&mut delay, 0, 500, |_| 0);
        send(&mut delay, 500, 1, |_| ms(5_000));
        assert_eq!(delay.target(), SHORTEST_TARGET);
        assert_eq!(delay.of(0, ms(5_070)), Some(0));
    }
}
