//! Two sides, the network between them, and the one time that they all live in.
//!
//! ```text
//!   Side 0 ──lanes──> Side 1        lanes: one network for each kind of datagram,
//!          <──lanes──                      each with randomness of its own
//! ```
//!
//! What a network does to a packet depends on the seed and on how many of its kind went before, so
//! that keys, names and handshakes, which are random, decide nothing that is heard.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use str0m::net::Transmit;

use super::super::side::Side;
use crate::ice_candidate::IceCandidate;
use crate::imp::audio::tests::network::{Conditions, Network};
use crate::peer_connection::PeerConnectionState;

/// The headers of UDP and IPv4, which a link carries too.
const HEADER_BYTES: usize = 8 + 20;

/// How long two may take to connect on a good network.
const CONNECT_LIMIT: Duration = Duration::from_secs(4);

/// Two that are connected, or about to be.
pub(super) struct World {
    pub(super) sides: [Side; 2],
    now: Duration,
    /// How much faster than the world's each side's clock runs.
    rates: [f64; 2],
    /// When each side wants to be asked again, by the world's clock.
    deadlines: [Duration; 2],
    /// From each side to the other.
    lanes: [Lanes; 2],
    /// The last datagram of each kind that came to each side.
    pub(super) seen: [[Vec<u8>; 4]; 2],
}

/// One network for each kind of datagram, all of the same conditions.
struct Lanes([Network<Vec<u8>>; 4]);

impl Lanes {
    fn new(conditions: &Conditions, seed: u64) -> Self {
        Self([0, 1, 2, 3].map(|kind| Network::new(conditions.clone(), seed ^ (kind << 32))))
    }

    fn change(&mut self, conditions: &Conditions, seed: u64) {
        for (network, kind) in self.0.iter_mut().zip(0..) {
            network.change(conditions.clone(), seed ^ (kind << 32));
        }
    }

    fn send(&mut self, datagram: &Transmit, now: Duration) {
        let contents = datagram.contents.to_vec();
        let bytes = contents.len() + HEADER_BYTES;
        self.0[kind(&contents)].send(contents, bytes, now);
    }

    fn next_arrival(&self) -> Option<Duration> {
        self.0.iter().filter_map(Network::next_arrival).min()
    }

    fn receive(&mut self, now: Duration) -> Option<Vec<u8>> {
        self.0.iter_mut().find_map(|network| network.receive(now))
    }
}

/// STUN, DTLS (and so SCTP), RTCP or RTP (RFC 7983, section 7; RFC 5761, section 4).
fn kind(datagram: &[u8]) -> usize {
    match datagram {
        [0..=3, ..] => 0,
        [20..=63, ..] => 1,
        [_, 192..=223, ..] => 2,
        _ => 3,
    }
}

impl World {
    /// Two sides that have never met; the second one's clock runs faster by that much.
    pub(super) fn new(drift_ppm: f64) -> Self {
        let base = tokio::time::Instant::now().into_std();
        let side = |number| {
            let address = SocketAddr::from((Ipv4Addr::new(192, 0, 2, number), 5_000));
            Side::new(base, address)
        };
        let quick = Conditions { delay: Duration::from_millis(1), ..Conditions::clean() };
        Self {
            sides: [side(1), side(2)],
            now: Duration::ZERO,
            rates: [1.0, 1.0 + drift_ppm / 1e6],
            deadlines: [Duration::ZERO; 2],
            lanes: [1, 2].map(|seed| Lanes::new(&quick, seed)),
            seen: Default::default(),
        }
    }

    /// The world's time.
    pub(super) fn now(&self) -> Duration {
        self.now
    }

    /// The time by a side's clock.
    pub(super) fn local(&self, side: usize) -> Duration {
        self.now.mul_f64(self.rates[side])
    }

    /// Has the first offer and the second answer, and both learn where the other is.
    pub(super) fn negotiate(&mut self) {
        let now = [0, 1].map(|side| self.local(side));
        let [first, second] = &mut self.sides;
        let offer = first.offer(now[0]).expect("there is something to offer");
        second.take(&offer, now[1]).expect("a side's offer is taken");
        let answer = second.answer(now[1]).expect("there is an offer");
        first.take(&answer, now[0]).expect("a side's answer is taken");
        for side in [0, 1] {
            let address = self.sides[1 - side].address();
            let (ip, port) = (address.ip(), address.port());
            let line = format!("candidate:1 1 udp 2130706431 {ip} {port} typ host");
            let candidate = IceCandidate::parse("0", 0, &line).expect("it is a candidate");
            self.sides[side].take_candidate(&candidate, now[side]).expect("a description is set");
        }
    }

    /// Connects the two on a good network, which takes until [`CONNECT_LIMIT`] whenever they are
    /// done; from then on the network is as `conditions` say, whose times count from the same
    /// moment as the world's.
    pub(super) fn connect(&mut self, conditions: &Conditions, seed: u64) {
        self.negotiate();
        self.run_until(CONNECT_LIMIT);
        let states = self.sides.each_ref().map(Side::connection);
        assert_eq!(states, [PeerConnectionState::Connected; 2]);
        for (lanes, way) in self.lanes.iter_mut().zip(1..) {
            lanes.change(conditions, seed.wrapping_mul(2) + way);
        }
    }

    /// Has a datagram come to a side, as if from `from`.
    pub(super) fn inject(&mut self, to: usize, from: SocketAddr, datagram: &[u8]) {
        let local = self.local(to);
        self.sides[to].receive(from, datagram, local);
        self.carry(to);
    }

    /// Lets all happen that happens until `end`.
    pub(super) fn run_until(&mut self, end: Duration) {
        while self.step(end) {}
    }

    /// Does what comes first, if it comes before `end`; otherwise the time is `end`.
    fn step(&mut self, end: Duration) -> bool {
        for side in [0, 1] {
            self.carry(side);
        }
        let arrivals = self.lanes.iter().filter_map(Lanes::next_arrival);
        let next = arrivals.chain(self.deadlines).min().expect("there are deadlines").min(end);
        self.now = self.now.max(next);
        for from in [0, 1] {
            let (to, source) = (1 - from, self.sides[from].address());
            let local = self.local(to);
            while let Some(datagram) = self.lanes[from].receive(self.now) {
                self.sides[to].receive(source, &datagram, local);
                let kind = kind(&datagram);
                self.seen[to][kind] = datagram;
            }
            if self.deadlines[to] <= self.now {
                self.sides[to].advance(local);
            }
        }
        self.now < end
    }

    /// Sends what a side wants sent.
    fn carry(&mut self, side: usize) {
        let (datagrams, deadline) = self.sides[side].work(self.local(side));
        for datagram in &datagrams {
            self.lanes[side].send(datagram, self.now);
        }
        // A deadline that has passed would be asked for again and again in no time.
        let soonest = self.now + Duration::from_micros(1);
        self.deadlines[side] = deadline.div_f64(self.rates[side]).max(soonest);
    }
}
