//! What becomes of a packet on its way, decided by a seed. Pure: packets and times in, times out.

use std::collections::VecDeque;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// The protocol number of UDP in an IPv4 header (RFC 791, 3.1).
const UDP: u8 = 17;

/// The length of a UDP header.
const UDP_HEADER: usize = 8;

/// RTP packets remembered, to know a second sending: about 20 s of one track.
const REMEMBERED: usize = 1_024;

/// How packets are lost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Loss {
    /// Not at all.
    #[default]
    None,
    /// Each for itself, with this probability.
    Random(f64),
    /// In bursts (Gilbert): a good packet is followed by a lost one with probability `begin`, a
    /// lost one by a good one with probability `end`.
    Bursts {
        /// From good to lost.
        begin: f64,
        /// From lost to good; 1 / `end` is the mean length of a burst in packets.
        end: f64,
    },
}

/// What a wire does to the packets of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Conditions {
    /// What is lost.
    pub loss: Loss,
    /// How long each packet takes at least.
    pub delay: Duration,
    /// How much longer it may take, evenly spread. More than the distance of two packets reorders
    /// them.
    pub jitter: Duration,
    /// The probability that a packet comes twice.
    pub duplicate: f64,
    /// What passes at all.
    pub passage: Passage,
}

/// What passes at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Passage {
    /// Everything.
    #[default]
    Open,
    /// Everything but UDP, as behind a strict firewall.
    NoUdp,
    /// Nothing.
    Shut,
}

/// Packets of RTP that came to one direction of a wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Sent for the first time.
    pub sent: u64,
    /// Lost of these.
    pub lost: u64,
    /// Sent again.
    pub again: u64,
}

/// One direction of a wire.
#[derive(Debug)]
pub(super) struct Fate {
    conditions: Conditions,
    seed: u64,
    /// Whether the packet of each sequence number is lost at its first sending.
    losses: Vec<bool>,
    /// For all else: other packets, second sendings, delays.
    random: StdRng,
    recent: VecDeque<(u32, u16)>,
    counts: Counts,
}

impl Fate {
    /// Wires of the same seed and conditions lose the same sequence numbers.
    pub(super) fn new(seed: u64) -> Self {
        let mut fate = Self {
            conditions: Conditions::default(),
            seed,
            losses: Vec::new(),
            random: StdRng::seed_from_u64(seed),
            recent: VecDeque::with_capacity(REMEMBERED),
            counts: Counts::default(),
        };
        fate.set(Conditions::default());
        fate
    }

    /// Sets the conditions for the packets to come, and counts anew.
    pub(super) fn set(&mut self, conditions: Conditions) {
        self.losses = losses(self.seed, conditions.loss);
        self.random = StdRng::seed_from_u64(!self.seed);
        self.counts = Counts::default();
        self.conditions = conditions;
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    /// How much later the packet arrives: never, once or twice.
    pub(super) fn delays(&mut self, packet: &[u8]) -> impl Iterator<Item = Duration> + use<> {
        let passes = match self.conditions.passage {
            Passage::Open => true,
            Passage::NoUdp => packet.get(9) != Some(&UDP),
            Passage::Shut => false,
        };
        let lost = !passes || self.is_lost(packet);
        let first = (!lost).then(|| self.delay());
        let twice = self.random.random_bool(self.conditions.duplicate);
        let second = (!lost && twice).then(|| self.delay());
        first.into_iter().chain(second)
    }

    fn delay(&mut self) -> Duration {
        self.conditions.delay + self.conditions.jitter.mul_f64(self.random.random::<f64>())
    }

    fn is_lost(&mut self, packet: &[u8]) -> bool {
        let Some((source, sequence)) = rtp(packet) else {
            return self.random.random_bool(mean(self.conditions.loss));
        };
        if self.recent.contains(&(source, sequence)) {
            self.counts.again += 1;
            return self.random.random_bool(mean(self.conditions.loss));
        }
        if self.recent.len() == REMEMBERED {
            self.recent.pop_front();
        }
        self.recent.push_back((source, sequence));
        let lost = self.losses[usize::from(sequence)];
        self.counts.sent += 1;
        self.counts.lost += u64::from(lost);
        lost
    }
}

/// The share of packets lost in the long run.
fn mean(loss: Loss) -> f64 {
    match loss {
        Loss::None => 0.0,
        Loss::Random(share) => share,
        Loss::Bursts { begin, end } => begin / (begin + end),
    }
}

fn losses(seed: u64, loss: Loss) -> Vec<bool> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut lost = false;
    let mut next = || {
        lost = random.random_bool(match loss {
            Loss::None => 0.0,
            Loss::Random(share) => share,
            Loss::Bursts { begin, .. } if !lost => begin,
            Loss::Bursts { end, .. } => 1.0 - end,
        });
        lost
    };
    (0..=u16::MAX).map(|_| next()).collect()
}

/// The source and the sequence number, where the IPv4 packet carries RTP over UDP.
fn rtp(packet: &[u8]) -> Option<(u32, u16)> {
    let begin = 4 * usize::from(packet.first()? & 0x0f) + UDP_HEADER;
    let rtp = packet.get(begin..begin + 12).filter(|_| packet[9] == UDP)?;
    // Version 2 (RFC 3550, 5.1); payload types 64 to 95 are RTCP's (RFC 5761, 4).
    let is_rtp = rtp[0] >> 6 == 2 && !(64..96).contains(&(rtp[1] & 0x7f));
    let source = u32::from_be_bytes([rtp[8], rtp[9], rtp[10], rtp[11]]);
    is_rtp.then_some((source, u16::from_be_bytes([rtp[2], rtp[3]])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound(source: u32, sequence: u16) -> Vec<u8> {
        let mut packet = vec![0; 40];
        (packet[0], packet[9], packet[28], packet[29]) = (0x45, UDP, 0x80, 111);
        packet[30..32].copy_from_slice(&sequence.to_be_bytes());
        packet[36..40].copy_from_slice(&source.to_be_bytes());
        packet
    }

    fn fate(seed: u64, conditions: Conditions) -> Fate {
        let mut fate = Fate::new(seed);
        fate.set(conditions);
        fate
    }

    fn passed(fate: &mut Fate, packets: impl Iterator<Item = Vec<u8>>) -> Vec<bool> {
        packets.map(|packet| fate.delays(&packet).next().is_some()).collect()
    }

    #[test]
    fn two_wires_of_a_seed_lose_the_same_sound_whatever_else_they_carry() {
        let conditions = Conditions { loss: Loss::Random(0.15), ..Conditions::default() };
        let [mut one, mut other] = [fate(7, conditions), fate(7, conditions)];
        let others = passed(&mut other, (0..50).map(|_| vec![0x45; 60]));
        assert!(others.contains(&true));
        let heard = passed(&mut one, (500..1_500).map(|it| sound(1, it)));
        assert_eq!(heard, passed(&mut other, (500..1_500).map(|it| sound(2, it))));
        assert_ne!(heard, passed(&mut fate(8, conditions), (500..1_500).map(|it| sound(1, it))));
        let Counts { sent, lost, again } = one.counts();
        assert!(sent == 1_000 && (110..190).contains(&lost) && again == 0, "{lost}");
    }

    #[test]
    fn what_is_sent_again_has_a_chance_of_its_own() {
        let mut wire = fate(1, Conditions { loss: Loss::Random(0.5), ..Conditions::default() });
        let lost = (0..).find(|&it| passed(&mut wire, [sound(1, it)].into_iter()) == [false]);
        let again = std::iter::repeat_n(sound(1, lost.unwrap()), 20);
        assert!(passed(&mut wire, again).contains(&true));
        assert_eq!(wire.counts().again, 20);
    }

    #[test]
    fn bursts_are_as_long_and_as_many_as_said() {
        let loss = Loss::Bursts { begin: 0.02, end: 0.25 };
        let losses = losses(3, loss);
        let lost = losses.iter().filter(|&&lost| lost).count();
        let bursts = losses.windows(2).filter(|pair| !pair[0] && pair[1]).count();
        assert!((lost as f64 / losses.len() as f64 - mean(loss)).abs() < 0.01, "{lost}");
        assert!((lost as f64 / bursts as f64 - 4.0).abs() < 0.5, "{lost} in {bursts}");
    }

    #[test]
    fn a_firewall_lets_pass_what_is_not_udp() {
        let mut wire = fate(1, Conditions { passage: Passage::NoUdp, ..Conditions::default() });
        let mut tcp = sound(1, 1);
        tcp[9] = 6;
        assert_eq!(passed(&mut wire, [sound(1, 1), tcp].into_iter()), [false, true]);
    }

    #[test]
    fn jitter_stays_within_its_bounds_and_copies_come_later_or_earlier() {
        let ms = Duration::from_millis;
        let conditions =
            Conditions { delay: ms(20), jitter: ms(30), duplicate: 0.5, ..Conditions::default() };
        let mut wire = fate(5, conditions);
        let delays: Vec<_> = (0..400).flat_map(|it| wire.delays(&sound(1, it))).collect();
        assert!((500..700).contains(&delays.len()), "{}", delays.len());
        assert!(delays.iter().all(|delay| (ms(20)..ms(50)).contains(delay)));
        assert!(delays.iter().max() > Some(&ms(45)) && delays.iter().min() < Some(&ms(25)));
    }

    #[test]
    fn no_packet_is_too_short() {
        let whole = sound(1, 1);
        let mut wire = Fate::new(1);
        for length in 0..whole.len() {
            assert_eq!(wire.delays(&whole[..length]).count(), 1);
        }
    }
}
