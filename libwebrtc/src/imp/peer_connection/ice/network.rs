//! All that a connection listens at and sends from, as its one task holds it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::future::poll_fn;
use str0m::net::{Protocol, Transmit};
use tracing::debug;

use super::super::shared::now;
use super::candidates::{Found, Wanted};
use super::servers::Servers;
use super::sockets::{self, Sockets};
use super::streams::{ACTIVE_PORT, Streams};
use crate::imp::ice::frames::FRAME_LIMIT;

/// How often the machine's addresses are checked while something is wrong.
const CHECK_PERIOD: Duration = Duration::from_secs(1);

/// Everything that a connection sends and receives by.
#[derive(Default)]
pub(in super::super) struct Network {
    sockets: Sockets,
    streams: Streams,
    servers: Servers,
    /// Whether servers are still asked.
    is_gathering: bool,
    watch: Watch,
    buffer: Vec<u8>,
    found: VecDeque<Found>,
}

/// Checks whether the machine has other addresses, while there is reason to.
#[derive(Default)]
struct Watch {
    /// What was gathered last, from which addresses.
    wanted: Wanted,
    machine: Vec<SocketAddr>,
    checked_at: Option<Instant>,
    /// When to check.
    due: Option<Instant>,
}

/// A datagram that was read: its length in the buffer, from where, and at which of our addresses.
pub(in super::super) struct Arrival {
    pub(in super::super) protocol: Protocol,
    pub(in super::super) from: SocketAddr,
    pub(in super::super) local: SocketAddr,
    length: usize,
}

impl Network {
    /// Looks for addresses as the connection wants them now.
    pub(in super::super) fn gather(&mut self, wanted: &Wanted) {
        let machine = sockets::addresses();
        let addresses = if wanted.relays_only { &[] } else { &machine[..] };
        let (gone, fresh) = self.sockets.follow(addresses);
        self.streams.follow(addresses);
        for address in gone {
            self.found.push_back(Found::Gone(Protocol::Udp, address));
            self.found.push_back(Found::Gone(Protocol::Tcp, active(address)));
        }
        for address in fresh {
            self.found.push_back(Found::Host(Protocol::Udp, address));
            self.found.push_back(Found::Host(Protocol::Tcp, active(address)));
        }
        let hosts = self.sockets.addresses();
        self.servers.follow(now(), wanted, &machine, hosts, &mut self.found);
        self.is_gathering = true;
        self.watch.wanted = wanted.clone();
        self.watch.machine = machine;
    }

    /// Checks for other addresses from time to time, while the peer `is_silent` or sending fails.
    pub(in super::super) fn watch(&mut self, is_silent: bool) {
        let is_troubled = is_silent || self.sockets.is_failing() || self.servers.is_failing();
        let earliest = self.watch.checked_at.map_or_else(now, |at| at + CHECK_PERIOD);
        self.watch.due = is_troubled.then_some(earliest);
    }

    fn check(&mut self) {
        self.watch.checked_at = Some(now());
        self.watch.due = None;
        if sockets::addresses() != self.watch.machine {
            debug!("the machine's addresses changed");
            self.gather(&self.watch.wanted.clone());
        }
    }

    /// What was found since the last call.
    pub(in super::super) fn found(&mut self) -> VecDeque<Found> {
        if self.is_gathering && self.servers.is_settled() {
            self.is_gathering = false;
            self.found.push_back(Found::Complete);
        }
        std::mem::take(&mut self.found)
    }

    /// Sends a datagram, or loses it.
    pub(in super::super) fn send(&mut self, datagram: &Transmit) {
        let (from, to) = (datagram.source, datagram.destination);
        let contents = &datagram.contents;
        if datagram.proto != Protocol::Udp {
            self.streams.send(now(), from, to, contents);
        } else if self.sockets.has(from) {
            self.sockets.send(from, to, contents);
        } else {
            self.servers.send(now(), from, to, contents);
        }
    }

    /// Sends the queries to servers that are due.
    pub(in super::super) fn send_queries(&mut self) {
        while let Some((query, request)) = self.servers.poll_query() {
            self.sockets.send(query.local, query.server, &request);
        }
    }

    pub(in super::super) fn deadline(&self) -> Option<Instant> {
        [self.servers.deadline(), self.watch.due].into_iter().flatten().min()
    }

    pub(in super::super) fn advance(&mut self) {
        self.servers.advance(now(), &mut self.found);
        if self.watch.due.is_some_and(|at| at <= now()) {
            self.check();
        }
    }

    /// Waits for a datagram; it stands in [`Network::datagram`] until the next call. None where
    /// something was found instead.
    pub(in super::super) async fn receive(&mut self) -> Option<Arrival> {
        self.buffer.resize(FRAME_LIMIT, 0);
        poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Arrival>> {
        let buffer = &mut self.buffer;
        let arrival = |protocol, (length, from, local)| {
            Poll::Ready(Some(Arrival { protocol, from, local, length }))
        };
        while let Poll::Ready(arrived) = self.sockets.poll(context, buffer) {
            if !self.servers.receive(&buffer[..arrived.0], &mut self.found) {
                return arrival(Protocol::Udp, arrived);
            }
        }
        if let Poll::Ready(arrived) = self.streams.poll(now(), context, buffer) {
            return arrival(Protocol::Tcp, arrived);
        }
        match self.servers.poll(now(), context, buffer, &mut self.found) {
            Poll::Ready(Some(arrived)) => arrival(Protocol::Udp, arrived),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending if self.found.is_empty() => Poll::Pending,
            Poll::Pending => Poll::Ready(None),
        }
    }

    /// Says goodbye to relays.
    pub(in super::super) fn close(&mut self) {
        self.servers.close();
    }

    pub(in super::super) fn datagram(&self, arrival: &Arrival) -> &[u8] {
        &self.buffer[..arrival.length]
    }
}

/// Our candidate for connections that we open from there.
fn active(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip(), ACTIVE_PORT)
}
