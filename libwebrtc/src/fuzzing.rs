//! What the fuzz targets reach of `imp`: the parts that take bytes from outside.
//!
//! It is here with the feature `fuzzing` only, and no part of what users may call.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::data_channel::{DataChannelInit, DataChannelState};
use crate::ice_candidate::IceCandidate;
use crate::imp::audio::jitter::{Arrival, JitterBuffer};
use crate::imp::channel::Record;
use crate::imp::peer_connection::Side;
use crate::peer_connection::PeerConnectionState;
use crate::session_description::SessionDescription;
use crate::{RtcError, imp};

/// A jitter buffer.
pub struct Buffer(JitterBuffer);

impl Buffer {
    /// For 1 or 2 channels.
    pub fn new(channels: u32) -> Self {
        Self(JitterBuffer::new(channels).expect("there are one or two"))
    }

    /// Takes the payload of a packet.
    pub fn push(&mut self, sequence: u16, timestamp: u32, payload: &[u8], now: Duration) {
        self.0.push(Arrival { sequence, timestamp, payload }, now);
    }

    /// Appends a frame.
    pub fn pull(&mut self, now: Duration, out: &mut Vec<i16>) {
        self.0.pull(now, out);
    }

    /// Packets that wait, and samples per channel that were decoded and not played.
    pub fn waiting(&self) -> (usize, usize) {
        self.0.waiting()
    }

    /// Pushed packets by what became of them, and how many samples were played.
    pub fn counts(&self) -> [u64; 5] {
        let stats = self.0.stats();
        [stats.received, stats.duplicates, stats.discarded, stats.invalid, stats.played]
    }
}

/// A datagram on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datagram {
    /// Who sent it.
    pub from: SocketAddr,
    /// What it holds.
    pub contents: Vec<u8>,
}

/// One side of a connection, with a clock that is told the time.
pub struct Peer {
    side: Side,
    now: Duration,
    deadline: Duration,
    channels: Vec<Arc<Record>>,
}

impl Peer {
    /// The `number`th of a few.
    pub fn new(number: u8, base: Instant) -> Self {
        let address = SocketAddr::from((Ipv4Addr::new(192, 0, 2, number), 5_000));
        let side = Side::new(base, address);
        Self { side, now: Duration::ZERO, deadline: Duration::ZERO, channels: Vec::new() }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.side.address()
    }

    /// Its state.
    pub fn state(&self) -> PeerConnectionState {
        self.side.connection()
    }

    /// A section for sound, and a channel.
    pub fn add_sections(&mut self) {
        self.side.add_source();
        self.open_channel("0", &DataChannelInit::default());
    }

    /// Offers.
    pub fn offer(&mut self) -> Result<SessionDescription, RtcError> {
        self.side.offer(self.now)
    }

    /// Answers.
    pub fn answer(&mut self) -> Result<SessionDescription, RtcError> {
        self.side.answer(self.now)
    }

    /// Takes the peer's description.
    pub fn take(&mut self, description: &SessionDescription) -> Result<(), RtcError> {
        self.side.set_remote(description, self.now)
    }

    /// Takes a candidate of the peer's.
    pub fn take_candidate(&mut self, candidate: &IceCandidate) -> Result<(), RtcError> {
        self.side.add_candidate(candidate, self.now)
    }

    /// Opens a channel; its number is the count of those before.
    pub fn open_channel(&mut self, label: &str, init: &DataChannelInit) -> bool {
        let opened = self.side.open_channel(label, init, self.now);
        self.channels.extend(opened.as_ref().ok().cloned());
        opened.is_ok()
    }

    /// Its channels, those that the peer opened too.
    pub fn channels(&mut self) -> usize {
        self.channels.append(&mut self.side.opened);
        self.channels.len()
    }

    /// What a channel is called.
    pub fn label(&self, channel: usize) -> &str {
        self.channels[channel].label()
    }

    fn is_open(&self, channel: usize) -> bool {
        self.channels.get(channel).is_some_and(|it| it.state() == DataChannelState::Open)
    }

    /// Whether the message was taken.
    pub fn send(&mut self, channel: usize, data: &[u8]) -> bool {
        let Some(channel) = self.channels.get(channel).cloned() else { return false };
        self.side.send(&channel, data, self.now)
    }

    /// Closes a channel.
    pub fn close_channel(&mut self, channel: usize) {
        if let Some(channel) = self.channels.get(channel).cloned() {
            self.side.close_channel(&channel, self.now);
        }
    }

    /// What has arrived, each by the label of its channel.
    pub fn messages(&mut self) -> Vec<(String, Vec<u8>)> {
        let messages = std::mem::take(&mut self.side.messages);
        messages.into_iter().map(|(label, message)| (label, message.data)).collect()
    }

    /// Takes a datagram.
    pub fn receive(&mut self, datagram: &Datagram) {
        self.side.receive(datagram.from, &datagram.contents, self.now);
    }

    /// Lets time go on, and gives what it sends.
    pub fn advance(&mut self, now: Duration) -> Vec<Datagram> {
        self.now = now;
        if self.deadline <= now {
            self.side.advance(now);
        }
        let (datagrams, deadline) = self.side.poll(now);
        self.deadline = deadline;
        let datagram = |it: str0m::net::Transmit| {
            let contents = Vec::from(it.contents);
            Datagram { from: it.source, contents }
        };
        datagrams.into_iter().map(datagram).collect()
    }

    /// Ends it.
    pub fn close(&mut self) {
        self.side.close(self.now);
    }
}

/// Two that have each other's descriptions: the one that offers, and the one that answers.
pub fn described() -> [Peer; 2] {
    let base = start();
    let [mut ours, mut theirs] = [1, 2].map(|number| Peer::new(number, base));
    ours.add_sections();
    let offer = ours.offer().expect("there are sections");
    theirs.take(&offer).expect("it is ours");
    let answer = theirs.answer().expect("there is an offer");
    ours.take(&answer).expect("it is ours");
    [ours, theirs]
}

/// Two that are joined by a wire that somebody meddles with.
pub struct Pair {
    /// The one that offers, and the one that answers.
    pub sides: [Peer; 2],
    now: Duration,
}

impl Pair {
    /// Two that have each other's descriptions and addresses, and a channel.
    #[expect(clippy::new_without_default, reason = "it takes the time")]
    pub fn new() -> Self {
        let mut pair = Self { sides: described(), now: Duration::ZERO };
        pair.tell_addresses();
        pair
    }

    fn tell_addresses(&mut self) {
        for side in 0..2 {
            let address = self.sides[1 - side].address();
            let (ip, port) = (address.ip(), address.port());
            let line = format!("candidate:1 1 udp 2130706431 {ip} {port} typ host");
            let candidate = IceCandidate::parse("0", 0, &line).expect("it is one");
            self.sides[side].take_candidate(&candidate).expect("there is a description");
        }
    }

    /// Connects them, and opens their channel, on a good wire.
    pub fn connect(&mut self) {
        /// Steps of 50 ms that a connection takes at most.
        const STEPS: u32 = 200;
        for _ in 0..STEPS {
            self.step(Duration::from_millis(50), |datagram| vec![datagram]);
            let channels = self.sides.each_mut().map(Peer::channels);
            if self.is_connected()
                && channels == [1, 1]
                && self.sides.iter().all(|it| it.is_open(0))
            {
                return;
            }
        }
        panic!("not connected: {:?}", self.states());
    }

    /// Whether both are connected.
    pub fn is_connected(&self) -> bool {
        self.states() == [PeerConnectionState::Connected; 2]
    }

    /// The states of both.
    pub fn states(&self) -> [PeerConnectionState; 2] {
        self.sides.each_ref().map(Peer::state)
    }

    /// Both send a message in their channel.
    pub fn send(&mut self, message: &[u8]) {
        for side in &mut self.sides {
            side.send(0, message);
        }
    }

    /// The last message that each has received.
    pub fn last_messages(&mut self) -> [Option<Vec<u8>>; 2] {
        self.sides.each_mut().map(|side| side.messages().pop().map(|(_, message)| message))
    }

    /// Lets time go on by `length`; what is sent arrives at once, as `wire` makes of it.
    pub fn step(&mut self, length: Duration, mut wire: impl FnMut(Datagram) -> Vec<Datagram>) {
        /// The time goes on by so much at least.
        const STEP: Duration = Duration::from_millis(10);
        /// How often the two may answer each other in no time.
        const ANSWERS: usize = 16;
        let until = self.now + length;
        let mut due = self.now;
        while self.now < until {
            self.now = due.max(self.now + STEP).min(until);
            due = self.now;
            for _ in 0..ANSWERS {
                let sent = self.sides.each_mut().map(|side| side.advance(self.now));
                if sent.iter().all(Vec::is_empty) {
                    due = self.sides[0].deadline.min(self.sides[1].deadline);
                    break;
                }
                for (from, datagrams) in sent.into_iter().enumerate() {
                    for datagram in datagrams.into_iter().flat_map(&mut wire) {
                        self.sides[1 - from].receive(&datagram);
                    }
                }
            }
        }
    }

    /// Ends both.
    pub fn close(&mut self) {
        self.sides.iter_mut().for_each(Peer::close);
    }
}

/// The time from which sides may count.
pub fn start() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// What the payload of an Opus packet says of itself: its samples, and how many before it it can
/// restore.
pub fn opus(payload: &[u8]) -> (Option<usize>, usize) {
    (imp::audio::packet::samples(payload), imp::audio::packet::restorable(payload))
}
