//! One server: it is looked up, then asked for an address of ours or for a relay.
//!
//! ```text
//!   Resolving ──> Stun                       asked through our own sockets
//!       │    └──> Relay ── allocation ──┐
//!       │           ↑    lost: a pause <┘
//!       └───────────┴──> Ended           refused or silent: until addresses are gathered again
//! ```

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use str0m::net::Protocol;
use tokio::net::{UdpSocket, lookup_host};
use tokio::time::timeout;
use tracing::debug;

use super::candidates::Found;
use super::servers::{Relayed, error};
use super::sockets::Failures;
use crate::imp::ice::stream::Stream;
use crate::imp::ice::turn::{Client, Credentials, Event, UNREACHABLE};
use crate::imp::ice::url::{ServerUrl, Service, Transport};

/// How long a name may take to be looked up.
const RESOLVE_LIMIT: Duration = Duration::from_secs(5);

/// How many addresses of a name are used.
const ADDRESS_LIMIT: usize = 4;

/// How often a relay that was lost is asked again, and how often another is asked in its place.
const RETRIES: u32 = 3;

/// How long it waits before that, growing with each try.
const BACKOFF: Duration = Duration::from_secs(1);

type Resolving = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// One server of a connection.
pub(super) struct Session {
    pub(super) url: ServerUrl,
    pub(super) state: SessionState,
    credentials: Credentials,
    /// Where the server is.
    addresses: Vec<SocketAddr>,
    retries: u32,
    redirects: u32,
}

/// Where the exchange with a server stands.
pub(super) enum SessionState {
    Resolving(Resolving),
    /// Asked through our own sockets.
    Stun,
    Relay(Box<Relay>),
    Backoff(Instant),
    Ended,
}

/// A relay, and the way to it.
pub(super) struct Relay {
    link: Link,
    client: Client,
    relayed: Option<SocketAddr>,
    failures: Failures,
}

enum Link {
    Datagrams(UdpSocket),
    Stream(Stream),
}

impl Session {
    pub(super) fn start(url: ServerUrl, credentials: Credentials) -> Self {
        let state = SessionState::Resolving(Box::pin(resolve(url.host.clone(), url.port)));
        Self { url, state, credentials, addresses: Vec::new(), retries: 0, redirects: 0 }
    }

    /// Whether it works, from an address that the machine still has.
    pub(super) fn is_usable(&self, machine: &[SocketAddr]) -> bool {
        match &self.state {
            SessionState::Relay(relay) => relay.local().is_none_or(|local| {
                local.ip().is_loopback() || machine.iter().any(|it| it.ip() == local.ip())
            }),
            SessionState::Stun | SessionState::Resolving(_) => true,
            SessionState::Backoff(_) | SessionState::Ended => false,
        }
    }

    /// It is wanted on, with credentials for the next time that it is asked: an allocation belongs
    /// to those that it was made with.
    pub(super) fn keep(&mut self, credentials: Credentials) {
        self.credentials = credentials;
        self.retries = 0;
    }

    /// Where it can be asked how it sees our own sockets; relays over UDP can, too.
    pub(super) fn stun_addresses(&self) -> &[SocketAddr] {
        match self.url.service {
            Service::Stun | Service::Turn(Transport::Udp) => &self.addresses,
            Service::Turn(_) => &[],
        }
    }

    pub(super) fn relayed(&self) -> Option<SocketAddr> {
        match &self.state {
            SessionState::Relay(relay) => relay.relayed,
            _ => None,
        }
    }

    pub(super) fn is_failing(&self) -> bool {
        matches!(&self.state, SessionState::Relay(relay) if relay.failures.are_many())
    }

    pub(super) fn is_settled(&self) -> bool {
        match &self.state {
            SessionState::Resolving(_) => false,
            SessionState::Relay(relay) => relay.relayed.is_some(),
            SessionState::Stun | SessionState::Backoff(_) | SessionState::Ended => true,
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.state {
            SessionState::Relay(relay) => relay.client.deadline(),
            SessionState::Backoff(until) => Some(*until),
            _ => None,
        }
    }

    pub(super) fn advance(&mut self, now: Instant) {
        match &mut self.state {
            SessionState::Relay(relay) => {
                relay.client.advance(now);
                relay.flush();
            }
            SessionState::Backoff(until) if *until <= now => {
                let resolving = resolve(self.url.host.clone(), self.url.port);
                self.state = SessionState::Resolving(Box::pin(resolving));
            }
            _ => {}
        }
    }

    pub(super) fn send(&mut self, now: Instant, to: SocketAddr, datagram: &[u8]) {
        if let SessionState::Relay(relay) = &mut self.state {
            relay.client.send(now, to, datagram);
            relay.flush();
        }
    }

    /// What the server relayed into `buffer`, meanwhile what goes on with it.
    pub(super) fn poll(
        &mut self,
        now: Instant,
        context: &mut Context<'_>,
        scratch: &mut [u8],
        buffer: &mut [u8],
        found: &mut VecDeque<Found>,
    ) -> Poll<Relayed> {
        loop {
            match &mut self.state {
                SessionState::Resolving(resolving) => {
                    match ready!(resolving.as_mut().poll(context)) {
                        Ok(addresses) => self.open(now, addresses, found),
                        Err(error) => self.end(None, UNREACHABLE, error.to_string(), found),
                    }
                }
                SessionState::Relay(relay) => {
                    let polled = relay.poll(now, context, scratch, buffer);
                    if let Some(event) = relay.client.event() {
                        self.on_event(now, event, found);
                        continue;
                    }
                    match ready!(polled) {
                        Ok(relayed) => return Poll::Ready(relayed),
                        Err(error) => self.lose(now, UNREACHABLE, error.to_string(), found),
                    }
                }
                SessionState::Stun | SessionState::Backoff(_) | SessionState::Ended => {
                    return Poll::Pending;
                }
            }
        }
    }

    fn open(&mut self, now: Instant, addresses: Vec<SocketAddr>, found: &mut VecDeque<Found>) {
        self.addresses.clone_from(&addresses);
        let Service::Turn(transport) = self.url.service else {
            self.state = SessionState::Stun;
            return;
        };
        match Relay::open(now, transport, addresses, &self.url.host, self.credentials.clone()) {
            Ok(relay) => self.state = SessionState::Relay(Box::new(relay)),
            Err(error) => self.end(None, UNREACHABLE, error.to_string(), found),
        }
    }

    fn on_event(&mut self, now: Instant, event: Event, found: &mut VecDeque<Found>) {
        match event {
            Event::Allocated(relayed) => {
                let SessionState::Relay(relay) = &mut self.state else { return };
                relay.relayed = Some(relayed);
                self.redirects = 0;
                found.push_back(Found::Relayed { relayed, local: relay.local() });
            }
            Event::Failed { alternate: Some(alternate), .. } if self.redirects < RETRIES => {
                debug!(server = %self.url, %alternate, "another relay is to be asked");
                self.redirects += 1;
                self.open(now, vec![alternate], found);
            }
            Event::Failed { code, reason, .. } => self.lose(now, code, reason, found),
        }
    }

    /// The relay is gone: asked again where it has worked.
    fn lose(&mut self, now: Instant, code: u16, reason: String, found: &mut VecDeque<Found>) {
        let SessionState::Relay(relay) = &self.state else { return };
        let local = relay.local();
        let Some(relayed) = relay.relayed else { return self.end(local, code, reason, found) };
        found.push_back(Found::Gone(Protocol::Udp, relayed));
        if self.retries == RETRIES {
            return self.end(local, code, reason, found);
        }
        debug!(server = %self.url, code, reason, "relay lost");
        self.retries += 1;
        self.state = SessionState::Backoff(now + BACKOFF * self.retries);
    }

    fn end(
        &mut self,
        local: Option<SocketAddr>,
        code: u16,
        reason: String,
        found: &mut VecDeque<Found>,
    ) {
        debug!(server = %self.url, code, reason, "server gives no candidate");
        found.push_back(error(&self.url.to_string(), local, code, reason));
        self.state = SessionState::Ended;
    }

    /// Gives the relay back.
    pub(super) fn close(&mut self, found: &mut VecDeque<Found>) {
        if let SessionState::Relay(relay) = &mut self.state {
            relay.client.close();
            relay.flush();
            if let Some(relayed) = relay.relayed {
                found.push_back(Found::Gone(Protocol::Udp, relayed));
            }
        }
        self.state = SessionState::Ended;
    }
}

impl Relay {
    fn open(
        now: Instant,
        transport: Transport,
        addresses: Vec<SocketAddr>,
        host: &str,
        credentials: Credentials,
    ) -> io::Result<Self> {
        let link = match transport {
            Transport::Udp => Link::Datagrams(connect(&addresses)?),
            Transport::Tcp => Link::Stream(Stream::to_relay(addresses, None)),
            Transport::Tls => Link::Stream(Stream::to_relay(addresses, Some(host.to_owned()))),
        };
        let is_stream = matches!(link, Link::Stream(_));
        let client = Client::new(credentials, is_stream, now);
        Ok(Self { link, client, relayed: None, failures: Failures::default() })
    }

    fn local(&self) -> Option<SocketAddr> {
        match &self.link {
            Link::Datagrams(socket) => socket.local_addr().ok(),
            Link::Stream(stream) => stream.local(),
        }
    }

    /// Sends what the client has to send.
    fn flush(&mut self) {
        while let Some(datagram) = self.client.poll() {
            match &mut self.link {
                // A full socket is a full link; requests are sent again.
                Link::Datagrams(socket) => {
                    self.failures.note(socket.try_send(&datagram).as_ref().map(|_| ()));
                }
                Link::Stream(stream) => stream.send(&datagram),
            }
        }
    }

    fn poll(
        &mut self,
        now: Instant,
        context: &mut Context<'_>,
        scratch: &mut [u8],
        buffer: &mut [u8],
    ) -> Poll<io::Result<Relayed>> {
        loop {
            self.flush();
            let length = match &mut self.link {
                Link::Stream(stream) => ready!(stream.poll(context, scratch))?,
                Link::Datagrams(socket) => {
                    let mut read = tokio::io::ReadBuf::new(scratch);
                    match ready!(socket.poll_recv(context, &mut read)) {
                        Ok(()) => read.filled().len(),
                        // Nobody listens there. Later it may be a moment's absence.
                        Err(error) if self.relayed.is_none() => return Poll::Ready(Err(error)),
                        Err(_) => 0,
                    }
                }
            };
            let relayed = self.client.receive(now, &scratch[..length]);
            if let (Some((from, data)), Some(local)) = (relayed, self.relayed) {
                buffer[..data.len()].copy_from_slice(data);
                return Poll::Ready(Ok((data.len(), from, local)));
            }
            if self.client.has_event() {
                return Poll::Pending;
            }
        }
    }
}

/// A socket that talks to the first of the addresses that there is a way to.
fn connect(addresses: &[SocketAddr]) -> io::Result<UdpSocket> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        let any: IpAddr = match address {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = || {
            let socket = std::net::UdpSocket::bind(SocketAddr::new(any, 0))?;
            socket.connect(address)?;
            socket.set_nonblocking(true)?;
            UdpSocket::from_std(socket)
        };
        match socket() {
            Ok(socket) => return Ok(socket),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The addresses of a host: itself, where it is one.
async fn resolve(host: String, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let addresses = timeout(RESOLVE_LIMIT, lookup_host((host, port))).await??;
    Ok(addresses.take(ADDRESS_LIMIT).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where nobody needs to listen.
    const RELAY: ([u8; 4], u16) = ([127, 0, 0, 1], 9);

    /// How often a relay is asked again of which `events` come each time.
    fn asked(events: impl Fn() -> Vec<Event>) -> u32 {
        let now = tokio::time::Instant::now().into_std();
        let (username, password) = ("ada".to_owned(), "secret".to_owned());
        let credentials = Credentials { username, password };
        let url = "turn:127.0.0.1:9".parse().unwrap();
        let (mut session, mut found) = (Session::start(url, credentials), VecDeque::new());
        for number in 0..20 {
            session.open(now, vec![RELAY.into()], &mut found);
            for event in events() {
                session.on_event(now, event, &mut found);
            }
            if matches!(session.state, SessionState::Ended) {
                assert!(matches!(found.back(), Some(Found::Error(_))));
                return number;
            }
        }
        panic!("it is asked without end");
    }

    #[tokio::test]
    async fn a_relay_that_is_lost_is_asked_again_so_often_and_no_more() {
        let relayed = "203.0.113.9:50000".parse().unwrap();
        let failed = || Event::Failed { code: 437, reason: "no".to_owned(), alternate: None };
        assert_eq!(asked(|| vec![Event::Allocated(relayed), failed()]), RETRIES);
    }

    #[tokio::test]
    async fn a_relay_that_names_another_is_followed_so_often_and_no_more() {
        let alternate = Some(RELAY.into());
        let failed = || Event::Failed { code: 300, reason: "there".to_owned(), alternate };
        assert_eq!(asked(|| vec![failed()]), RETRIES);
    }
}
