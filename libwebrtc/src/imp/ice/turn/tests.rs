//! The client against a relay in memory, under simulated time.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::client::{LIFETIME_LIMIT, OUTBOX_LIMIT, REFRESHED_BEFORE, TEXT_LIMIT};
use super::{Client, Credentials, Event, UNREACHABLE};
use crate::imp::ice::stun::{Attribute, Class, Id, Key, Message, Method, Writer};

const REALM: &[u8] = b"example.org";
const USERNAME: &str = "ada";
const PASSWORD: &str = "secret";
const RELAYED: &str = "203.0.113.9:50000";
const PEER: &str = "192.0.2.7:7000";

/// How long this relay's allocations last.
const LIFETIME: Duration = Duration::from_secs(600);

/// A relay that forgets at its time what is not asked for again.
struct Relay {
    key: Key,
    nonce: u32,
    allocated: Option<Instant>,
    permissions: BTreeMap<IpAddr, Instant>,
    channels: BTreeMap<u16, (SocketAddr, Instant)>,
    delivered: Vec<(SocketAddr, Vec<u8>)>,
    requests: usize,
    /// Answers each request with that, when it is signed.
    refuses: Option<(Method, u16)>,
    /// Takes each nonce for stale.
    never_content: bool,
}

impl Relay {
    fn new() -> Self {
        Self {
            key: Key::long_term(USERNAME, REALM, PASSWORD),
            nonce: 0,
            allocated: None,
            permissions: BTreeMap::new(),
            channels: BTreeMap::new(),
            delivered: Vec::new(),
            requests: 0,
            refuses: None,
            never_content: false,
        }
    }

    fn handle(&mut self, now: Instant, bytes: &[u8]) -> Option<Vec<u8>> {
        if bytes[0] >> 6 == 1 {
            let (peer, until) = *self.channels.get(&u16::from_be_bytes([bytes[0], bytes[1]]))?;
            if now < until {
                self.delivered.push((peer, bytes[4..].to_vec()));
            }
            return None;
        }
        let message = Message::read(bytes).expect("the client writes whole messages");
        if message.method == Method::Send {
            let peer = message.address(Attribute::XorPeerAddress).unwrap();
            if self.permissions.get(&peer.ip()).is_some_and(|until| now < *until) {
                self.delivered.push((peer, message.bytes(Attribute::Data).unwrap().to_vec()));
            }
            return None;
        }
        self.requests += 1;
        Some(self.check(&message).unwrap_or_else(|| self.grant(now, &message)))
    }

    /// Refuses what is not signed as it should be.
    fn check(&mut self, message: &Message<'_>) -> Option<Vec<u8>> {
        let nonce = self.nonce.to_string();
        let challenge = |code| {
            let answer = refusal(message, code).bytes(Attribute::Realm, REALM);
            Some(answer.bytes(Attribute::Nonce, nonce.as_bytes()).unsigned())
        };
        match message.bytes(Attribute::Nonce) {
            None => return challenge(401),
            Some(_) if !message.is_signed(&self.key) => return challenge(401),
            Some(given) if given != nonce.as_bytes() || self.never_content => {
                return challenge(438);
            }
            Some(_) => {}
        }
        let (method, code) = self.refuses?;
        (method == message.method).then(|| refusal(message, code).signed(&self.key))
    }

    fn grant(&mut self, now: Instant, message: &Message<'_>) -> Vec<u8> {
        let answer = Writer::new(Class::Success, message.method, message.id);
        let lifetime = LIFETIME.as_secs() as u32;
        if message.method != Method::Allocate && self.allocated.is_none_or(|until| until <= now) {
            return refusal(message, 437).signed(&self.key);
        }
        let peer = message.address(Attribute::XorPeerAddress);
        let answer = match message.method {
            Method::Allocate => {
                self.allocated = Some(now + LIFETIME);
                let relayed = RELAYED.parse().unwrap();
                answer
                    .address(Attribute::XorRelayedAddress, relayed)
                    .number(Attribute::Lifetime, lifetime)
            }
            Method::Refresh if message.number(Attribute::Lifetime) == Some(0) => {
                self.allocated = None;
                answer.number(Attribute::Lifetime, 0)
            }
            Method::Refresh => {
                self.allocated = Some(now + LIFETIME);
                answer.number(Attribute::Lifetime, lifetime)
            }
            Method::CreatePermission => {
                self.permissions.insert(peer.unwrap().ip(), now + Duration::from_secs(300));
                answer
            }
            Method::ChannelBind => {
                let number = (message.number(Attribute::ChannelNumber).unwrap() >> 16) as u16;
                let until = now + Duration::from_secs(600);
                self.channels.insert(number, (peer.unwrap(), until));
                answer
            }
            _ => panic!("no request of a relay's client"),
        };
        answer.signed(&self.key)
    }
}

fn refusal(message: &Message<'_>, code: u16) -> Writer {
    let value = [0, 0, (code / 100) as u8, (code % 100) as u8, b'n', b'o'];
    Writer::new(Class::Error, message.method, message.id).bytes(Attribute::ErrorCode, &value)
}

/// Client and relay, and the time.
struct World {
    now: Instant,
    client: Client,
    relay: Relay,
}

impl World {
    fn new(relay: Relay, password: &str) -> Self {
        let now = tokio::time::Instant::now().into_std();
        let credentials =
            Credentials { username: USERNAME.to_owned(), password: password.to_owned() };
        Self { now, client: Client::new(credentials, false, now), relay }
    }

    fn allocated() -> Self {
        let mut world = Self::new(Relay::new(), PASSWORD);
        world.exchange();
        assert_eq!(world.client.event(), Some(Event::Allocated(RELAYED.parse().unwrap())));
        world
    }

    /// Until neither has something to say.
    fn exchange(&mut self) {
        while let Some(datagram) = self.client.poll() {
            if let Some(answer) = self.relay.handle(self.now, &datagram) {
                assert!(self.client.receive(self.now, &answer).is_none());
            }
        }
    }

    /// Lets time pass, as the client's deadlines ask for it.
    fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(deadline) = self.client.deadline().filter(|it| *it <= end) {
            self.now = self.now.max(deadline);
            self.client.advance(self.now);
            self.exchange();
        }
        self.now = end;
    }

    fn send(&mut self, datagram: &[u8]) {
        self.client.send(self.now, PEER.parse().unwrap(), datagram);
        self.exchange();
    }

    fn failed(&mut self) -> u16 {
        match self.client.event() {
            Some(Event::Failed { code, .. }) => code,
            event => panic!("it did not fail: {event:?}"),
        }
    }
}

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

#[test]
fn an_allocation_takes_a_challenge() {
    let world = World::allocated();
    assert_eq!(world.relay.requests, 2);
}

#[test]
fn what_waits_for_the_permission_is_sent_and_then_goes_by_channel() {
    let mut world = World::allocated();
    world.send(b"first");
    world.send(b"second");
    let peer: SocketAddr = PEER.parse().unwrap();
    let expected = [(peer, b"first".to_vec()), (peer, b"second".to_vec())];
    assert_eq!(world.relay.delivered, expected);
    assert_eq!(world.relay.channels.len(), 1, "the second asked for a channel");
    world.client.send(world.now, peer, b"third");
    let datagram = world.client.poll().unwrap();
    assert_eq!(datagram, [&[0x40, 0, 0, 5], &b"third"[..]].concat());
    let answer = world.client.receive(world.now, &datagram);
    assert_eq!(answer, Some((peer, &b"third"[..])), "and comes by channel");
}

#[test]
fn hours_pass_and_nothing_lapses_though_nonces_grow_stale() {
    const STEP: Duration = Duration::from_secs(5);
    let mut world = World::allocated();
    world.send(b"first");
    for step in 0..3 * 3600 / STEP.as_secs() {
        // Not in step with anything that is renewed.
        if step % 83 == 0 {
            world.relay.nonce += 1;
        }
        world.pass(STEP);
        world.relay.delivered.clear();
        world.send(b"still here");
        assert_eq!(world.relay.delivered.len(), 1, "after {step} steps");
    }
    assert_eq!(world.client.event(), None);
    assert!(world.relay.requests < 200, "{} requests", world.relay.requests);
}

#[test]
fn wrong_credentials_are_told_after_one_try() {
    let mut world = World::new(Relay::new(), "wrong");
    world.exchange();
    assert_eq!(world.failed(), 401);
    assert_eq!(world.relay.requests, 2);
    assert_eq!(world.client.deadline(), None);
}

#[test]
fn a_relay_that_is_never_content_is_given_up() {
    let mut relay = Relay::new();
    relay.never_content = true;
    let mut world = World::new(relay, PASSWORD);
    world.exchange();
    assert_eq!(world.failed(), 438);
    assert_eq!(world.relay.requests, 4);
}

#[test]
fn a_refusal_is_told_with_its_number() {
    let mut relay = Relay::new();
    relay.refuses = Some((Method::Allocate, 486));
    let mut world = World::new(relay, PASSWORD);
    world.exchange();
    assert_eq!(world.failed(), 486);
}

#[test]
fn a_silent_relay_is_given_up() {
    for is_stream in [false, true] {
        let start = tokio::time::Instant::now().into_std();
        let credentials = Credentials { username: String::new(), password: String::new() };
        let (mut client, mut sent, mut now) =
            (Client::new(credentials, is_stream, start), 0, start);
        while let Some(deadline) = client.deadline() {
            sent += std::iter::from_fn(|| client.poll()).count();
            now = deadline;
            client.advance(now);
        }
        assert!(matches!(client.event(), Some(Event::Failed { code: UNREACHABLE, .. })));
        assert_eq!(now - start, Duration::from_millis(7750));
        assert_eq!(sent, if is_stream { 1 } else { 5 });
    }
}

#[test]
fn another_relay_is_named() {
    let mut world = World::new(Relay::new(), PASSWORD);
    let request = world.client.poll().unwrap();
    let request = Message::read(&request).unwrap();
    // Family, port and address in the open (RFC 8489, section 14.15).
    let alternate = [0, 1, 0x0d, 0x96, 198, 51, 100, 4];
    let answer = refusal(&request, 300).bytes(Attribute::AlternateServer, &alternate).unsigned();
    world.client.receive(world.now, &answer);
    let Some(Event::Failed { code: 300, alternate, .. }) = world.client.event() else {
        panic!("it did not fail");
    };
    assert_eq!(alternate, Some("198.51.100.4:3478".parse().unwrap()));
}

#[test]
fn an_allocation_that_the_relay_forgot_is_told() {
    let mut world = World::allocated();
    world.relay.allocated = None;
    world.pass(LIFETIME);
    assert_eq!(world.failed(), 437);
    world.send(b"nobody");
    assert!(world.relay.delivered.is_empty());
}

#[test]
fn a_peer_that_is_forbidden_is_not_asked_for_with_each_datagram() {
    let mut world = World::allocated();
    world.relay.refuses = Some((Method::CreatePermission, 403));
    for _ in 0..600 {
        world.send(b"let me");
        world.pass(Duration::from_millis(100));
    }
    assert_eq!(world.relay.requests, 2 + 2, "twice in a minute");
    assert!(world.relay.delivered.is_empty());
    world.relay.refuses = None;
    world.pass(seconds(30));
    world.send(b"now");
    assert_eq!(world.relay.delivered.len(), 1);
}

#[test]
fn a_relay_without_channels_gets_indications() {
    let mut world = World::allocated();
    world.relay.refuses = Some((Method::ChannelBind, 400));
    for _ in 0..10 {
        world.send(b"by indication");
        world.pass(seconds(1));
    }
    assert_eq!(world.relay.delivered.len(), 10);
}

#[test]
fn many_peers_are_served_in_turn() {
    let mut world = World::allocated();
    for port in 1000..1200 {
        world.client.send(world.now, SocketAddr::new([192, 0, 2, 1].into(), port), b"hello");
        world.exchange();
        world.pass(Duration::from_millis(10));
    }
    assert_eq!(world.relay.delivered.len(), 200);
}

#[test]
fn what_nobody_takes_away_is_lost() {
    let mut world = World::allocated();
    world.send(b"permitted");
    world.send(b"by channel");
    for _ in 0..OUTBOX_LIMIT + 10 {
        world.client.send(world.now, PEER.parse().unwrap(), b"hello");
    }
    assert_eq!(std::iter::from_fn(|| world.client.poll()).count(), OUTBOX_LIMIT);
}

#[test]
fn a_nonce_or_a_realm_that_is_too_long_is_not_kept() {
    let [fits, long] = [TEXT_LIMIT, TEXT_LIMIT + 1].map(|length| vec![b'x'; length]);
    for (realm, nonce, is_taken) in
        [(&fits, &fits, true), (&fits, &long, false), (&long, &fits, false)]
    {
        let mut world = World::new(Relay::new(), PASSWORD);
        let request = world.client.poll().unwrap();
        let answer = refusal(&Message::read(&request).unwrap(), 401)
            .bytes(Attribute::Realm, realm)
            .bytes(Attribute::Nonce, nonce);
        world.client.receive(world.now, &answer.unsigned());
        assert_eq!(world.client.poll().is_some(), is_taken);
        assert_eq!(world.client.event().is_none(), is_taken);
    }
}

#[test]
fn an_allocation_is_refreshed_however_long_it_is_said_to_last() {
    let mut world = World::new(Relay::new(), PASSWORD);
    let first = world.client.poll().unwrap();
    let challenge = world.relay.handle(world.now, &first).unwrap();
    world.client.receive(world.now, &challenge);
    let request = world.client.poll().unwrap();
    let answer = Writer::new(Class::Success, Method::Allocate, Message::read(&request).unwrap().id)
        .address(Attribute::XorRelayedAddress, RELAYED.parse().unwrap())
        .number(Attribute::Lifetime, u32::MAX);
    world.client.receive(world.now, &answer.signed(&world.relay.key));
    assert_eq!(world.client.deadline(), Some(world.now + LIFETIME_LIMIT - REFRESHED_BEFORE));
}

#[test]
fn an_answer_that_the_relay_did_not_sign_does_not_count() {
    let mut world = World::new(Relay::new(), PASSWORD);
    let first = world.client.poll().unwrap();
    let challenge = world.relay.handle(world.now, &first).unwrap();
    world.client.receive(world.now, &challenge);
    let id = Message::read(&world.client.poll().unwrap()).unwrap().id;
    let forged = |id: Id| {
        Writer::new(Class::Success, Method::Allocate, id)
            .address(Attribute::XorRelayedAddress, "192.0.2.66:6666".parse().unwrap())
    };
    world.client.receive(world.now, &forged(id).unsigned());
    world.client.receive(world.now, &forged(id).signed(&Key::long_term("eve", REALM, "guess")));
    assert_eq!(world.client.event(), None);
}

#[test]
fn closing_gives_the_allocation_back() {
    let mut world = World::allocated();
    world.client.close();
    assert_eq!(world.client.deadline(), None);
    world.exchange();
    assert_eq!(world.relay.allocated, None);
    world.client.close();
    assert_eq!(world.client.poll(), None);
}

proptest! {
    #[test]
    fn garbage_of_a_relay_is_passed_over(
        datagrams in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..100), 0..20),
        is_framed in any::<bool>(),
    ) {
        let mut world = World::allocated();
        world.client.send(world.now, PEER.parse().unwrap(), b"asks");
        for mut datagram in datagrams {
            if is_framed && datagram.len() >= 20 {
                let length = (datagram.len() - 20) as u16;
                datagram[0] &= 1;
                datagram[2..4].copy_from_slice(&length.to_be_bytes());
                datagram[4..8].copy_from_slice(&0x2112_A442_u32.to_be_bytes());
            }
            world.client.receive(world.now, &datagram);
        }
        world.exchange();
        world.send(b"still here");
        prop_assert_eq!(world.relay.delivered.len(), 2);
        prop_assert_eq!(world.client.event(), None);
    }
}
