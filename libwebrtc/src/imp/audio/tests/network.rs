//! A network in memory that loses, delays, reorders and repeats packets, the same each time from
//! the same seed.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// What a full link keeps before it drops: more than a browser's jitter buffer takes.
const LINK_QUEUE_LIMIT: Duration = Duration::from_millis(400);

/// How packets get lost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Loss {
    /// None does.
    None,
    /// Each with this probability.
    Random(f64),
    /// In bursts (Gilbert's model): this share of all, in runs of this mean length.
    Burst { share: f64, length: f64 },
}

/// How much later than the fastest packets come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Jitter {
    /// Not at all.
    None,
    /// By anything up to this, each by itself, so that packets overtake one another.
    Shuffled(Duration),
    /// By anything up to this, but in order.
    Queued(Duration),
}

/// What happens to packets that are sent in a stretch of time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outage {
    /// They are lost.
    Lost(Range<Duration>),
    /// They all arrive at its end.
    Held(Range<Duration>),
}

/// What a network is like.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Conditions {
    /// The time that the fastest packets take.
    pub(crate) delay: Duration,
    pub(crate) jitter: Jitter,
    pub(crate) loss: Loss,
    /// The probability that a packet comes twice.
    pub(crate) duplicated: f64,
    /// From when on the link carries only so many bits per second.
    pub(crate) link_bps: Option<(Duration, f64)>,
    pub(crate) outages: Vec<Outage>,
}

impl Conditions {
    /// A network that only takes its time.
    pub(crate) fn clean() -> Self {
        Self {
            delay: Duration::from_millis(50),
            jitter: Jitter::None,
            loss: Loss::None,
            duplicated: 0.0,
            link_bps: None,
            outages: Vec::new(),
        }
    }
}

/// Carries packets of any kind one way.
#[derive(Debug)]
pub(crate) struct Network<T> {
    conditions: Conditions,
    rng: StdRng,
    in_flight: BTreeMap<(Duration, u64), T>,
    sent: u64,
    in_burst: bool,
    /// When the last packet that keeps its order arrives.
    last: Duration,
    link_free_at: Duration,
}

impl<T: Clone> Network<T> {
    pub(crate) fn new(conditions: Conditions, seed: u64) -> Self {
        Self {
            conditions,
            rng: StdRng::seed_from_u64(seed),
            in_flight: BTreeMap::new(),
            sent: 0,
            in_burst: false,
            last: Duration::ZERO,
            link_free_at: Duration::ZERO,
        }
    }

    /// Is another network from now on, for what is sent; what is on its way still arrives.
    pub(crate) fn change(&mut self, conditions: Conditions, seed: u64) {
        let in_flight = std::mem::take(&mut self.in_flight);
        let (last, sent) = (self.last, self.sent);
        *self = Self { in_flight, last, sent, ..Self::new(conditions, seed) };
    }

    /// Takes a packet of so many bytes that is sent at `now`.
    pub(crate) fn send(&mut self, packet: T, bytes: usize, now: Duration) {
        let is_lost = self.loses();
        let copies = if self.rng.random_bool(self.conditions.duplicated) { 2 } else { 1 };
        let Some(leaves_at) = self.pass_link(bytes, now) else { return };
        for _ in 0..copies {
            let Some(arrives_at) = self.arrival(leaves_at) else { continue };
            self.sent += 1;
            if !is_lost {
                self.in_flight.insert((arrives_at, self.sent), packet.clone());
            }
        }
    }

    /// When the next packet arrives.
    pub(crate) fn next_arrival(&self) -> Option<Duration> {
        self.in_flight.first_key_value().map(|(&(at, _), _)| at)
    }

    /// The next packet that has arrived by `now`.
    pub(crate) fn receive(&mut self, now: Duration) -> Option<T> {
        (self.next_arrival()? <= now).then(|| self.in_flight.pop_first())?.map(|(_, packet)| packet)
    }

    fn loses(&mut self) -> bool {
        match self.conditions.loss {
            Loss::None => false,
            Loss::Random(share) => self.rng.random_bool(share),
            Loss::Burst { share, length } => {
                let ends = 1.0 / length;
                let begins = ends * share / (1.0 - share);
                let turns = self.rng.random_bool(if self.in_burst { ends } else { begins });
                self.in_burst ^= turns;
                self.in_burst
            }
        }
    }

    /// When the packet has left the link; `None` where its queue is full.
    fn pass_link(&mut self, bytes: usize, now: Duration) -> Option<Duration> {
        let Some((since, bps)) = self.conditions.link_bps else { return Some(now) };
        let begins = self.link_free_at.max(now);
        if now < since {
            return Some(now);
        }
        if begins - now > LINK_QUEUE_LIMIT {
            return None;
        }
        self.link_free_at = begins + Duration::from_secs_f64(bytes as f64 * 8.0 / bps);
        Some(self.link_free_at)
    }

    fn arrival(&mut self, sent_at: Duration) -> Option<Duration> {
        let mut at = sent_at;
        for outage in &self.conditions.outages {
            match outage {
                Outage::Lost(during) if during.contains(&at) => return None,
                Outage::Held(during) if during.contains(&at) => at = during.end,
                Outage::Lost(_) | Outage::Held(_) => {}
            }
        }
        at += self.conditions.delay;
        match self.conditions.jitter {
            Jitter::None => {}
            Jitter::Shuffled(most) => at += most.mul_f64(self.rng.random::<f64>()),
            Jitter::Queued(most) => {
                at += most.mul_f64(self.rng.random::<f64>());
                at = at.max(self.last);
                self.last = at;
            }
        }
        Some(at)
    }
}

#[test]
fn a_network_does_what_it_says() {
    let share_of = |loss| {
        let mut network = Network::new(Conditions { loss, ..Conditions::clean() }, 7);
        (0..20_000).for_each(|k| network.send(k, 100, Duration::from_millis(20 * k)));
        1.0 - network.in_flight.len() as f64 / 20_000.0
    };
    assert_eq!(share_of(Loss::None), 0.0);
    assert!((share_of(Loss::Random(0.1)) - 0.1).abs() < 0.01);
    assert!((share_of(Loss::Burst { share: 0.1, length: 4.0 }) - 0.1).abs() < 0.015);
}

#[test]
fn a_link_carries_no_more_than_its_rate() {
    let conditions =
        Conditions { link_bps: Some((Duration::ZERO, 40_000.0)), ..Conditions::clean() };
    let mut network = Network::new(conditions, 1);
    (0..500).for_each(|k| network.send(k, 200, Duration::from_millis(20 * k)));
    // 80 kbit/s are offered for ten seconds; half of it comes, and what the queue held.
    let arrived = network.in_flight.len();
    assert!((240..=265).contains(&arrived), "{arrived}");
}
