//! All that a connection listens at and sends from, as its one task holds it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Instant;

use futures_util::future::poll_fn;
use str0m::net::{Protocol, Transmit};

use super::candidates::{Found, Wanted};
use super::shared::now;
use super::sockets::{self, Sockets};
use super::streams::{ACTIVE_PORT, Streams};
use crate::imp::ice::frames::FRAME_LIMIT;

/// Everything that a connection sends and receives by.
#[derive(Default)]
pub(super) struct Network {
    sockets: Sockets,
    streams: Streams,
    buffer: Vec<u8>,
    found: VecDeque<Found>,
}

/// A datagram that was read: its length in the buffer, from where, and at which of our addresses.
pub(super) struct Arrival {
    pub(super) protocol: Protocol,
    pub(super) from: SocketAddr,
    pub(super) local: SocketAddr,
    length: usize,
}

impl Network {
    /// Looks for addresses as the connection wants them now.
    pub(super) fn gather(&mut self, _wanted: &Wanted) {
        let addresses = sockets::addresses();
        let (gone, fresh) = self.sockets.follow(&addresses);
        self.streams.follow(&addresses);
        for address in gone {
            self.found.push_back(Found::Gone(Protocol::Udp, address));
            self.found.push_back(Found::Gone(Protocol::Tcp, active(address)));
        }
        for address in fresh {
            self.found.push_back(Found::Host(Protocol::Udp, address));
            self.found.push_back(Found::Host(Protocol::Tcp, active(address)));
        }
        self.found.push_back(Found::Complete);
    }

    /// What was found since the last call.
    pub(super) fn found(&mut self) -> VecDeque<Found> {
        std::mem::take(&mut self.found)
    }

    /// Sends a datagram, or loses it.
    pub(super) fn send(&mut self, now: Instant, datagram: &Transmit) {
        let (from, to) = (datagram.source, datagram.destination);
        if datagram.proto == Protocol::Udp {
            self.sockets.send(from, to, &datagram.contents);
        } else {
            self.streams.send(now, from, to, &datagram.contents);
        }
    }

    /// Waits for a datagram; it stands in [`Network::datagram`] until the next call.
    pub(super) async fn receive(&mut self) -> Arrival {
        self.buffer.resize(FRAME_LIMIT, 0);
        poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Arrival> {
        let buffer = &mut self.buffer;
        if let Poll::Ready((length, from, local)) = self.sockets.poll(context, buffer) {
            return Poll::Ready(Arrival { protocol: Protocol::Udp, from, local, length });
        }
        if let Poll::Ready((length, from, local)) = self.streams.poll(now(), context, buffer) {
            return Poll::Ready(Arrival { protocol: Protocol::Tcp, from, local, length });
        }
        Poll::Pending
    }

    pub(super) fn datagram(&self, arrival: &Arrival) -> &[u8] {
        &self.buffer[..arrival.length]
    }
}

/// Our candidate for connections that we open from there.
fn active(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip(), ACTIVE_PORT)
}
