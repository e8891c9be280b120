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
use super::voice::Voice;
use crate::ice_candidate::IceCandidate;
use crate::imp::audio::tests::network::{Conditions, Network};
use crate::peer_connection::PeerConnectionState;
use crate::session_description::SessionDescription;

/// The headers of UDP and IPv4, which a link carries too.
const HEADER_BYTES: usize = 8 + 20;

/// More than a time is off that went from one clock to another.
const ROUNDING: Duration = Duration::from_micros(1);

/// When two are connected whenever they are done, and talk from then on.
pub(super) const CONNECTED_AT: Duration = Duration::from_secs(4);

/// Two that are connected, or about to be.
pub(super) struct World {
    pub(super) sides: [Side; 2],
    now: Duration,
    /// How much faster than the world's each side's clock runs.
    rates: [f64; 2],
    /// Whether both want packets to carry those before them most, as livekit-server does.
    pub(super) wants_red: bool,
    /// When each side wants to be asked again, by the world's clock.
    deadlines: [Duration; 2],
    /// From each side to the other.
    lanes: [Lanes; 2],
    /// What each side says and hears, once it has something to say.
    pub(super) voices: [Option<Voice>; 2],
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
            wants_red: false,
            deadlines: [Duration::ZERO; 2],
            lanes: [1, 2].map(|seed| Lanes::new(&quick, seed)),
            voices: [None, None],
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

    /// Gives a side a voice, before it connects.
    pub(super) fn speak(&mut self, side: usize, say: impl FnMut(usize) -> Vec<i16> + 'static) {
        let source = self.sides[side].add_source();
        self.voices[side] = Some(Voice::new(source, Box::new(say)));
    }

    /// Has a side offer and the other answer.
    fn negotiate(&mut self, offerer: usize) {
        let answerer = 1 - offerer;
        let now = [0, 1].map(|side| self.local(side));
        let offer = self.sides[offerer].offer(now[offerer]).expect("there is something to offer");
        let offer = self.on_its_way(offer);
        self.sides[answerer].set_remote(&offer, now[answerer]).expect("a side's offer is taken");
        let answer = self.sides[answerer].answer(now[answerer]).expect("there is an offer");
        let answer = self.on_its_way(answer);
        self.sides[offerer].set_remote(&answer, now[offerer]).expect("a side's answer is taken");
    }

    /// The description as the other side gets it.
    fn on_its_way(&self, description: SessionDescription) -> SessionDescription {
        if !self.wants_red {
            return description;
        }
        let text = description.to_string();
        let red = text.lines().find_map(|line| {
            let (format, codec) = line.strip_prefix("a=rtpmap:")?.split_once(' ')?;
            codec.starts_with("red/48000").then(|| format.to_owned())
        });
        let red = red.expect("redundancy is offered");
        let line = |line: &str| match line.strip_prefix("m=audio ") {
            Some(media) => {
                let mut words: Vec<&str> = media.split(' ').filter(|it| *it != red).collect();
                words.insert(2, &red);
                format!("m=audio {}\r\n", words.join(" "))
            }
            None => format!("{line}\r\n"),
        };
        let text: String = text.lines().map(line).collect();
        SessionDescription::parse(&text, description.sdp_type()).expect("it is still one")
    }

    fn tell_addresses(&mut self) {
        for side in [0, 1] {
            let (now, address) = (self.local(side), self.sides[1 - side].address());
            let (ip, port) = (address.ip(), address.port());
            let line = format!("candidate:1 1 udp 2130706431 {ip} {port} typ host");
            let candidate = IceCandidate::parse("0", 0, &line).expect("it is a candidate");
            self.sides[side].add_candidate(&candidate, now).expect("a description is set");
        }
    }

    /// Has a side begin a new search for a path, of which the other is told.
    pub(super) fn restart_ice(&mut self, side: usize) {
        self.sides[side].restart_ice();
        self.negotiate(side);
        self.tell_addresses();
    }

    /// Connects the two on a good network, and has them talk from [`CONNECTED_AT`] on; from then
    /// on the network is as `conditions` say, whose times are the world's.
    pub(super) async fn connect(&mut self, conditions: &Conditions, seed: u64) {
        self.negotiate(0);
        self.tell_addresses();
        self.run_until(CONNECTED_AT / 2).await;
        if self.voices[1].is_some() {
            self.negotiate(1);
        }
        self.run_until(CONNECTED_AT).await;
        let states = self.sides.each_ref().map(Side::connection);
        assert_eq!(states, [PeerConnectionState::Connected; 2]);
        for (lanes, way) in self.lanes.iter_mut().zip(1..) {
            lanes.change(conditions, seed.wrapping_mul(2) + way);
        }
        for side in [0, 1] {
            let from = self.local(side);
            let track = self.sides[side].received();
            if let Some(voice) = &mut self.voices[side] {
                voice.begin(from, track);
            }
        }
    }

    /// Has a datagram come to a side, as if from `from`.
    pub(super) fn inject(&mut self, to: usize, from: SocketAddr, datagram: &[u8]) {
        let local = self.local(to);
        self.sides[to].receive(from, datagram, local);
        self.carry(to);
    }

    /// Lets all happen that happens until `end`.
    pub(super) async fn run_until(&mut self, end: Duration) {
        while self.now < end {
            let next = self.next().min(end);
            // Tokio's clock is the world's: sources look at it.
            tokio::time::advance(next.saturating_sub(self.now)).await;
            self.now = self.now.max(next);
            self.act();
        }
    }

    /// When something happens next.
    fn next(&mut self) -> Duration {
        [0, 1].into_iter().for_each(|side| self.carry(side));
        let arrivals = self.lanes.iter().filter_map(Lanes::next_arrival);
        let voices = self.voices.iter().zip(self.rates);
        // What is due by a side's clock may lie a rounding ahead of now.
        let soonest = self.now + ROUNDING;
        let word = |(voice, rate): (&Option<Voice>, f64)| {
            Some(voice.as_ref()?.due()?.div_f64(rate).max(soonest))
        };
        let words = voices.filter_map(word);
        arrivals.chain(words).chain(self.deadlines).min().expect("there are deadlines")
    }

    /// Does all that is due.
    fn act(&mut self) {
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
        for (side, voice) in self.voices.iter_mut().enumerate() {
            let local = self.now.mul_f64(self.rates[side]);
            if let Some(voice) = voice {
                voice.speak(local);
                voice.listen(|| self.sides[side].jitter_stats());
            }
        }
    }

    /// Sends what a side wants sent.
    fn carry(&mut self, side: usize) {
        let (datagrams, deadline) = self.sides[side].poll(self.local(side));
        for datagram in &datagrams {
            self.lanes[side].send(datagram, self.now);
        }
        // A deadline that has passed would be asked for again and again in no time.
        let soonest = self.now + ROUNDING;
        self.deadlines[side] = deadline.div_f64(self.rates[side]).max(soonest);
    }
}
