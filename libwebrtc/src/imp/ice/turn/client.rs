//! The allocation at a relay, and what goes through it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tracing::debug;

use super::peers::{Peers, Way};
use crate::imp::ice::requests::{Request, Requests};
use crate::imp::ice::stun::{Attribute, Class, Id, Key, Message, Method, Writer, fresh_id};

/// UDP as the protocol between relay and peer (RFC 8656, section 18.7).
const UDP: u32 = 17 << 24;

/// How often a server may ask for other credentials in answer to one request.
const CHALLENGES: u32 = 3;

/// How many bytes of realm or nonce are kept: as many as a server may send.
pub(super) const TEXT_LIMIT: usize = 763;

/// How many datagrams wait to be taken; the task takes them at once.
pub(super) const OUTBOX_LIMIT: usize = 256;

/// An allocation is not taken for longer than that, whatever the server says.
pub(super) const LIFETIME_LIMIT: Duration = Duration::from_secs(3600);

/// How long before its end an allocation is refreshed, if it lasts twice as long.
pub(super) const REFRESHED_BEFORE: Duration = Duration::from_secs(60);

/// The number for a server that does not answer (WebRTC, section 4.8.3).
pub(crate) const UNREACHABLE: u16 = 701;

/// Who we are at a server. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) username: String,
    pub(crate) password: String,
}

/// What became of the allocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// The relay listens for us there.
    Allocated(SocketAddr),
    /// There is no allocation, or no longer. The server's number and words; and where else to ask.
    Failed { code: u16, reason: String, alternate: Option<SocketAddr> },
}

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Allocate,
    Refresh,
    Permit(SocketAddr),
    BindChannel(SocketAddr, u16),
}

/// A client of one relay.
pub(crate) struct Client {
    credentials: Credentials,
    challenge: Option<Challenge>,
    requests: Requests<Purpose>,
    relayed: Option<SocketAddr>,
    refresh_at: Option<Instant>,
    peers: Peers,
    outbox: VecDeque<Vec<u8>>,
    event: Option<Event>,
    is_ended: bool,
}

/// What the server wants requests to be signed with.
struct Challenge {
    realm: Vec<u8>,
    nonce: Vec<u8>,
    key: Key,
}

impl Client {
    /// A client that asks for an allocation, over a stream or over UDP.
    pub(crate) fn new(credentials: Credentials, is_stream: bool, now: Instant) -> Self {
        let mut client = Self {
            credentials,
            challenge: None,
            requests: Requests::new(is_stream),
            relayed: None,
            refresh_at: None,
            peers: Peers::default(),
            outbox: VecDeque::new(),
            event: None,
            is_ended: false,
        };
        client.request(now, Purpose::Allocate, 0);
        client
    }

    /// What to send to the server next.
    pub(crate) fn poll(&mut self) -> Option<Vec<u8>> {
        self.outbox.pop_front()
    }

    /// What became of the allocation, once.
    pub(crate) fn event(&mut self) -> Option<Event> {
        self.event.take()
    }

    /// Whether there is news of the allocation.
    pub(crate) fn has_event(&self) -> bool {
        self.event.is_some()
    }

    /// When to call [`Client::advance`].
    pub(crate) fn deadline(&self) -> Option<Instant> {
        [self.requests.deadline(), self.refresh_at].into_iter().flatten().min()
    }

    /// Sends `datagram` to `peer` through the relay, or loses it.
    pub(crate) fn send(&mut self, now: Instant, peer: SocketAddr, datagram: &[u8]) {
        if self.relayed.is_none() {
            return;
        }
        let (way, asks) = self.peers.send(now, peer, datagram);
        if asks.permission {
            self.request(now, Purpose::Permit(peer), 0);
        }
        if let Some(channel) = asks.channel {
            self.request(now, Purpose::BindChannel(peer, channel), 0);
        }
        match way {
            Way::Channel(channel) => self.push(channel_data(channel, datagram)),
            Way::Indication => self.push(indication(peer, datagram)),
            Way::None => {}
        }
    }

    /// A datagram of the server: what it relays, and from which peer.
    pub(crate) fn receive<'a>(
        &mut self,
        now: Instant,
        bytes: &'a [u8],
    ) -> Option<(SocketAddr, &'a [u8])> {
        if bytes.first().is_some_and(|first| first >> 6 == 1) {
            let (channel, data) = read_channel_data(bytes)?;
            return Some((self.peers.of_channel(channel)?, data));
        }
        let message = Message::read(bytes)?;
        match (message.class, message.method) {
            (Class::Indication, Method::Data) => {
                let peer = message.address(Attribute::XorPeerAddress)?;
                Some((peer, message.bytes(Attribute::Data)?))
            }
            (Class::Success, _) => {
                self.on_success(now, &message);
                None
            }
            (Class::Error, _) => {
                self.on_error(now, &message);
                None
            }
            _ => None,
        }
    }

    /// Sends again what is due, and refreshes the allocation.
    pub(crate) fn advance(&mut self, now: Instant) {
        let outbox = &mut self.outbox;
        let lost = self.requests.advance(now, |_, bytes| outbox.push_back(bytes.to_vec()));
        for request in lost {
            self.on_refusal(now, &request, UNREACHABLE, "the server does not answer".to_owned());
        }
        if self.refresh_at.is_some_and(|at| at <= now) {
            self.refresh_at = None;
            self.request(now, Purpose::Refresh, 0);
        }
    }

    /// Gives the allocation back: the last datagram waits in [`Client::poll`].
    pub(crate) fn close(&mut self) {
        if self.relayed.is_some() && !self.is_ended {
            let id = fresh_id();
            let message = Writer::new(Class::Request, Method::Refresh, id);
            let bytes = self.sign(message.number(Attribute::Lifetime, 0));
            self.push(bytes);
        }
        self.end();
    }

    fn end(&mut self) {
        self.is_ended = true;
        self.relayed = None;
        self.refresh_at = None;
        self.requests.clear();
    }

    fn push(&mut self, datagram: Vec<u8>) {
        if self.outbox.len() < OUTBOX_LIMIT {
            self.outbox.push_back(datagram);
        }
    }

    fn request(&mut self, now: Instant, purpose: Purpose, challenges: u32) {
        let id = fresh_id();
        let bytes = self.write(purpose, id);
        self.push(bytes.clone());
        self.requests.add(now, purpose, challenges, (id, bytes));
    }

    fn write(&self, purpose: Purpose, id: Id) -> Vec<u8> {
        let new = |method| Writer::new(Class::Request, method, id);
        self.sign(match purpose {
            Purpose::Allocate => new(Method::Allocate).number(Attribute::RequestedTransport, UDP),
            Purpose::Refresh => new(Method::Refresh),
            Purpose::Permit(peer) => {
                new(Method::CreatePermission).address(Attribute::XorPeerAddress, peer)
            }
            Purpose::BindChannel(peer, channel) => new(Method::ChannelBind)
                .number(Attribute::ChannelNumber, u32::from(channel) << 16)
                .address(Attribute::XorPeerAddress, peer),
        })
    }

    /// Signs as the server wants it, once it has said so.
    fn sign(&self, message: Writer) -> Vec<u8> {
        match &self.challenge {
            None => message.unsigned(),
            Some(Challenge { realm, nonce, key }) => message
                .bytes(Attribute::Username, self.credentials.username.as_bytes())
                .bytes(Attribute::Realm, realm)
                .bytes(Attribute::Nonce, nonce)
                .signed(key),
        }
    }

    fn on_success(&mut self, now: Instant, message: &Message<'_>) {
        // A server that asks for nothing signs nothing.
        if self.challenge.as_ref().is_some_and(|it| !message.is_signed(&it.key)) {
            debug!("an answer that nobody signed");
            return;
        }
        let Some(request) = self.requests.answered(message.id) else { return };
        match request.purpose {
            Purpose::Allocate => self.on_allocated(now, message),
            Purpose::Refresh => self.keep(now, message),
            Purpose::Permit(peer) => {
                for datagram in self.peers.permitted(now, peer) {
                    self.push(indication(peer, &datagram));
                }
            }
            Purpose::BindChannel(peer, _) => self.peers.bound(now, peer),
        }
    }

    fn on_allocated(&mut self, now: Instant, message: &Message<'_>) {
        let Some(relayed) = message.address(Attribute::XorRelayedAddress) else {
            return self.fail(UNREACHABLE, "the server names no relayed address".to_owned(), None);
        };
        self.relayed = Some(relayed);
        self.event = Some(Event::Allocated(relayed));
        self.keep(now, message);
    }

    /// Has the allocation refreshed before it ends.
    fn keep(&mut self, now: Instant, message: &Message<'_>) {
        /// Where the server does not say (RFC 8656, section 3.2).
        const LIFETIME: u32 = 600;
        let lifetime = message.number(Attribute::Lifetime).unwrap_or(LIFETIME).max(2);
        let lifetime = Duration::from_secs(lifetime.into()).min(LIFETIME_LIMIT);
        self.refresh_at = Some(now + lifetime.saturating_sub(REFRESHED_BEFORE).max(lifetime / 2));
    }

    fn on_error(&mut self, now: Instant, message: &Message<'_>) {
        let Some((code, reason)) = message.error() else { return };
        let Some(mut request) = self.requests.answered(message.id) else { return };
        let is_challenge = matches!(code, 401 | 438) && request.challenges < CHALLENGES;
        if is_challenge && self.take_challenge(code, message) {
            request.challenges += 1;
            return self.request(now, request.purpose, request.challenges);
        }
        let alternate = message.address(Attribute::AlternateServer).filter(|_| code == 300);
        if request.purpose == Purpose::Allocate {
            return self.fail(code, reason, alternate);
        }
        self.on_refusal(now, &request, code, reason);
    }

    /// Takes what requests are to be signed with. Returns whether that is new.
    fn take_challenge(&mut self, code: u16, message: &Message<'_>) -> bool {
        let (Some(nonce), realm) =
            (message.bytes(Attribute::Nonce), message.bytes(Attribute::Realm))
        else {
            return false;
        };
        let Credentials { username, password } = &self.credentials;
        let old = self.challenge.as_ref();
        // Signed and refused: the credentials are wrong.
        if code == 401 && old.is_some() {
            return false;
        }
        let Some(realm) = realm.or(old.map(|it| &it.realm[..])) else { return false };
        if username.is_empty() || realm.len() > TEXT_LIMIT || nonce.len() > TEXT_LIMIT {
            return false;
        }
        let key = Key::long_term(username, realm, password);
        let (realm, nonce) = (realm.to_vec(), nonce.to_vec());
        self.challenge = Some(Challenge { realm, nonce, key });
        true
    }

    /// A request came to nothing.
    fn on_refusal(&mut self, now: Instant, request: &Request<Purpose>, code: u16, reason: String) {
        match request.purpose {
            Purpose::Allocate | Purpose::Refresh => self.fail(code, reason, None),
            Purpose::Permit(peer) => {
                debug!(code, "a peer is not permitted");
                self.peers.refused(now, peer);
            }
            Purpose::BindChannel(peer, _) => self.peers.unbound(now, peer),
        }
    }

    fn fail(&mut self, code: u16, reason: String, alternate: Option<SocketAddr>) {
        self.event = Some(Event::Failed { code, reason, alternate });
        self.end();
    }
}

fn indication(peer: SocketAddr, datagram: &[u8]) -> Vec<u8> {
    Writer::new(Class::Indication, Method::Send, fresh_id())
        .address(Attribute::XorPeerAddress, peer)
        .bytes(Attribute::Data, datagram)
        .unsigned()
}

fn channel_data(channel: u16, datagram: &[u8]) -> Vec<u8> {
    let length = u16::try_from(datagram.len()).expect("datagrams are short");
    let mut bytes = Vec::with_capacity(4 + datagram.len());
    bytes.extend(channel.to_be_bytes());
    bytes.extend(length.to_be_bytes());
    bytes.extend(datagram);
    bytes
}

/// The channel and what came by it; over UDP it may be padded.
fn read_channel_data(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (head, data) = bytes.split_at_checked(4)?;
    let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
    Some((u16::from_be_bytes([head[0], head[1]]), data.get(..length)?))
}
