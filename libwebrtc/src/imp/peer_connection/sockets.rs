//! UDP sockets, one for each address of the machine.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll, ready};

use futures_util::future::poll_fn;
use str0m::net::Transmit;
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;
use tracing::{debug, trace};

/// How many addresses of the machine are used.
const ADDRESS_LIMIT: usize = 16;

/// The longest datagram that is read; WebRTC's are shorter.
const DATAGRAM_LIMIT: usize = 2048;

/// The addresses at which a peer may reach us, with port 0.
///
/// Loopback is left out, unless the machine has nothing else: to a peer elsewhere it means the
/// peer itself. IPv6 link-local addresses need a zone, which candidates cannot carry.
pub(super) fn addresses() -> Vec<SocketAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_else(|error| {
        debug!(%error, "addresses of the machine are not to be had");
        Vec::new()
    });
    choose(interfaces.iter().map(if_addrs::Interface::ip))
}

fn choose(ips: impl Iterator<Item = IpAddr>) -> Vec<SocketAddr> {
    let usable = |ip: &IpAddr| match ip {
        IpAddr::V4(ip) => !ip.is_link_local() && !ip.is_unspecified(),
        IpAddr::V6(ip) => !ip.is_unicast_link_local() && !ip.is_unspecified(),
    };
    let (loopback, mut ips): (Vec<IpAddr>, Vec<IpAddr>) =
        ips.filter(usable).partition(IpAddr::is_loopback);
    if ips.is_empty() {
        ips = loopback;
    }
    ips.dedup();
    ips.into_iter().take(ADDRESS_LIMIT).map(|ip| SocketAddr::new(ip, 0)).collect()
}

/// A socket at a free port of `address`, and where that is.
pub(super) fn bind(address: SocketAddr) -> Option<(UdpSocket, SocketAddr)> {
    let socket = || -> io::Result<(UdpSocket, SocketAddr)> {
        let socket = std::net::UdpSocket::bind(address)?;
        socket.set_nonblocking(true)?;
        let socket = UdpSocket::from_std(socket)?;
        let address = socket.local_addr()?;
        Ok((socket, address))
    };
    socket().inspect_err(|error| debug!(%address, %error, "address not used")).ok()
}

/// All sockets of a connection.
#[derive(Default)]
pub(super) struct Sockets {
    sockets: Vec<(UdpSocket, SocketAddr)>,
    /// Where to look first, so that a busy socket does not starve the others.
    first: usize,
    buffer: Vec<u8>,
}

/// A datagram that was read: its length in the buffer, from where, and at which of our addresses.
pub(super) struct Arrival {
    pub(super) length: usize,
    pub(super) from: SocketAddr,
    pub(super) local: SocketAddr,
}

impl Sockets {
    pub(super) fn add(&mut self, socket: UdpSocket) {
        if let Ok(address) = socket.local_addr() {
            self.sockets.push((socket, address));
        }
    }

    /// Waits for a datagram; it stands in [`Sockets::datagram`] until the next call.
    pub(super) async fn receive(&mut self) -> Arrival {
        self.buffer.resize(DATAGRAM_LIMIT, 0);
        poll_fn(|context| self.poll_receive(context)).await
    }

    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<Arrival> {
        let count = self.sockets.len();
        for offset in 0..count {
            let at = (self.first + offset) % count;
            let (socket, local) = &self.sockets[at];
            if let Poll::Ready((length, from)) = poll_one(socket, &mut self.buffer, context) {
                self.first = (at + 1) % count;
                return Poll::Ready(Arrival { length, from, local: *local });
            }
        }
        Poll::Pending
    }

    pub(super) fn datagram(&self, arrival: &Arrival) -> &[u8] {
        &self.buffer[..arrival.length]
    }

    /// Sends a datagram, or loses it: a full socket is a full link.
    pub(super) fn send(&self, datagram: &Transmit) {
        let socket = self.sockets.iter().find(|(_, address)| *address == datagram.source);
        let Some((socket, _)) = socket else { return };
        if let Err(error) = socket.try_send_to(&datagram.contents, datagram.destination) {
            trace!(%error, to = %datagram.destination, "datagram lost");
        }
    }
}

/// A datagram of one socket. An error of an earlier datagram's way (a port that nobody listens at)
/// is passed over.
fn poll_one(
    socket: &UdpSocket,
    buffer: &mut [u8],
    context: &mut Context<'_>,
) -> Poll<(usize, SocketAddr)> {
    /// How many errors are passed over at once.
    const ERROR_LIMIT: usize = 16;
    for _ in 0..ERROR_LIMIT {
        let mut read = ReadBuf::new(buffer);
        if let Ok(from) = ready!(socket.poll_recv_from(context, &mut read)) {
            return Poll::Ready((read.filled().len(), from));
        }
    }
    context.waker().wake_by_ref();
    Poll::Pending
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ips: &[&str], chosen: &[&str]) {
        let ips = ips.iter().map(|ip| ip.parse().unwrap());
        let found: Vec<String> = choose(ips).iter().map(|a| a.ip().to_string()).collect();
        assert_eq!(found, chosen);
    }

    #[test]
    fn loopback_is_the_last_resort() {
        check(&["127.0.0.1", "192.0.2.2", "::1", "fd00::2"], &["192.0.2.2", "fd00::2"]);
        check(&["127.0.0.1", "::1"], &["127.0.0.1", "::1"]);
        check(&["127.0.0.1", "fe80::1", "169.254.1.1"], &["127.0.0.1"]);
    }
}
