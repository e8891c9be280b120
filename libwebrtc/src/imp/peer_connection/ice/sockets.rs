//! UDP sockets, one for each address of the machine.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll, ready};

use tokio::io::ReadBuf;
use tokio::net::UdpSocket;
use tracing::{debug, trace};

/// How many addresses of the machine are used.
const ADDRESS_LIMIT: usize = 16;

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
fn bind(address: SocketAddr) -> Option<(UdpSocket, SocketAddr)> {
    let socket = || -> io::Result<(UdpSocket, SocketAddr)> {
        let socket = std::net::UdpSocket::bind(address)?;
        socket.set_nonblocking(true)?;
        let socket = UdpSocket::from_std(socket)?;
        let address = socket.local_addr()?;
        Ok((socket, address))
    };
    socket().inspect_err(|error| debug!(%address, %error, "address not used")).ok()
}

/// The UDP sockets of a connection.
#[derive(Default)]
pub(super) struct Sockets {
    sockets: Vec<(UdpSocket, SocketAddr)>,
    /// Where to look first, so that a busy socket does not starve the others.
    first: usize,
    failures: Failures,
}

impl Sockets {
    /// Listens at each of `addresses` that it does not listen at yet, and no longer at others.
    /// Returns where it no longer listens, and where it listens anew.
    pub(super) fn follow(
        &mut self,
        addresses: &[SocketAddr],
    ) -> (Vec<SocketAddr>, Vec<SocketAddr>) {
        self.failures = Failures::default();
        let wanted = |ip: IpAddr| addresses.iter().any(|address| address.ip() == ip);
        let gone = self.sockets.extract_if(.., |(_, local)| !wanted(local.ip()));
        let gone = gone.map(|(_, local)| local).collect();
        let mut fresh = Vec::new();
        for address in addresses {
            if self.sockets.iter().any(|(_, local)| local.ip() == address.ip()) {
                continue;
            }
            if let Some((socket, local)) = bind(*address) {
                fresh.push(local);
                self.sockets.push((socket, local));
            }
        }
        (gone, fresh)
    }

    /// Where it listens.
    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.sockets.iter().map(|(_, local)| *local).collect()
    }

    pub(super) fn has(&self, address: SocketAddr) -> bool {
        self.sockets.iter().any(|(_, local)| *local == address)
    }

    /// The next datagram into `buffer`: its length, from where, and at which of our addresses.
    pub(super) fn poll(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<(usize, SocketAddr, SocketAddr)> {
        let count = self.sockets.len();
        for offset in 0..count {
            let at = (self.first + offset) % count;
            let (socket, local) = &self.sockets[at];
            if let Poll::Ready((length, from)) = poll_one(socket, buffer, context) {
                self.first = (at + 1) % count;
                return Poll::Ready((length, from, *local));
            }
        }
        Poll::Pending
    }

    /// Sends a datagram, or loses it: a full socket is a full link.
    pub(super) fn send(&mut self, from: SocketAddr, to: SocketAddr, datagram: &[u8]) {
        let socket = self.sockets.iter().find(|(_, address)| *address == from);
        let Some((socket, _)) = socket else { return };
        let sent = socket.try_send_to(datagram, to);
        self.failures.note(sent.as_ref().map(|_| ()));
        if let Err(error) = sent {
            trace!(%error, %to, "datagram lost");
        }
    }

    pub(super) fn is_failing(&self) -> bool {
        self.failures.are_many()
    }
}

/// Sending that failed, one time after the other, as it does where an address has gone.
#[derive(Default)]
pub(super) struct Failures(u32);

impl Failures {
    pub(super) fn note(&mut self, sent: Result<(), &io::Error>) {
        match sent {
            Ok(()) => self.0 = 0,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => self.0 = self.0.saturating_add(1),
        }
    }

    pub(super) fn are_many(&self) -> bool {
        /// A single one is a peer's port that nobody listens at.
        const MANY: u32 = 3;
        self.0 >= MANY
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

    #[test]
    fn of_many_addresses_the_first_are_used() {
        let ips: Vec<_> = (1..=20).map(|number| format!("192.0.2.{number}")).collect();
        let ips: Vec<_> = ips.iter().map(String::as_str).collect();
        check(&ips, &ips[..ADDRESS_LIMIT]);
    }
}
