//! ICE over TCP: connections that we open to a peer which listens (RFC 6544), each as it is first
//! needed. Needed where a network lets no UDP through.

use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tracing::debug;

use crate::imp::ice::stream::Stream;

/// The port in a candidate of ours that opens connections but takes none (RFC 6544, section 4.5).
pub(super) const ACTIVE_PORT: u16 = 9;

/// How many connections there are at most.
const LIMIT: usize = 16;

/// How often a connection is opened again after it failed.
const RETRIES: u32 = 5;

/// How long it waits before that, growing with each try.
const BACKOFF: Duration = Duration::from_millis(500);

/// The TCP connections to a peer.
#[derive(Default)]
pub(super) struct Streams {
    links: Vec<Link>,
    first: usize,
}

/// From a candidate of ours to one of the peer's.
struct Link {
    local: SocketAddr,
    remote: SocketAddr,
    stream: Option<Stream>,
    retries: u32,
    /// Not opened again before this.
    after: Instant,
}

impl Streams {
    /// Closes what comes from an address that is gone, and lets the others try anew.
    pub(super) fn follow(&mut self, addresses: &[SocketAddr]) {
        let wanted = |link: &Link| addresses.iter().any(|it| it.ip() == link.local.ip());
        self.links.retain(|link| wanted(link) && link.stream.is_some());
        for link in &mut self.links {
            link.retries = 0;
        }
    }

    /// Sends a datagram, and opens a connection for it where there is none.
    pub(super) fn send(
        &mut self,
        now: Instant,
        local: SocketAddr,
        remote: SocketAddr,
        datagram: &[u8],
    ) {
        // A peer that takes no connections either.
        if remote.port() == ACTIVE_PORT {
            return;
        }
        let known = |link: &Link| link.local == local && link.remote == remote;
        let at = self.links.iter().position(known);
        let at = at.unwrap_or(self.links.len());
        if at == self.links.len() {
            if at == LIMIT {
                return;
            }
            self.links.push(Link { local, remote, stream: None, retries: 0, after: now });
        }
        self.links[at].send(now, datagram);
    }

    /// The next datagram into `buffer`: its length, from where, and at which of our candidates.
    pub(super) fn poll(
        &mut self,
        now: Instant,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<(usize, SocketAddr, SocketAddr)> {
        let count = self.links.len();
        for offset in 0..count {
            let at = (self.first + offset) % count;
            let link = &mut self.links[at];
            if let Poll::Ready(length) = link.poll(now, context, buffer) {
                self.first = (at + 1) % count;
                return Poll::Ready((length, link.remote, link.local));
            }
        }
        Poll::Pending
    }
}

impl Link {
    fn send(&mut self, now: Instant, datagram: &[u8]) {
        if self.stream.is_none() {
            if self.retries > RETRIES || now < self.after {
                return;
            }
            self.retries += 1;
            self.stream = Some(Stream::to_peer(self.local.ip(), self.remote));
        }
        if let Some(stream) = &mut self.stream {
            stream.send(datagram);
        }
    }

    fn poll(&mut self, now: Instant, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<usize> {
        let Some(stream) = &mut self.stream else { return Poll::Pending };
        match stream.poll(context, buffer) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(length)) => {
                self.retries = 0;
                Poll::Ready(length)
            }
            Poll::Ready(Err(error)) => {
                debug!(remote = %self.remote, %error, dropped = stream.dropped, "stream ended");
                self.stream = None;
                self.after = now + BACKOFF * self.retries;
                Poll::Pending
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_no_more_connections_than_the_limit() {
        let now = tokio::time::Instant::now().into_std();
        let mut streams = Streams::default();
        let local = "192.0.2.1:9".parse().unwrap();
        for port in 1_000..1_000 + 2 * LIMIT as u16 {
            streams.send(now, local, SocketAddr::from(([192, 0, 2, 2], port)), b"hello");
        }
        assert_eq!(streams.links.len(), LIMIT);
    }

    #[test]
    fn a_connection_that_fails_is_opened_so_often_and_no_more() {
        let now = tokio::time::Instant::now().into_std();
        let mut streams = Streams::default();
        let [local, remote] = ["192.0.2.1:9", "192.0.2.2:5000"].map(|it| it.parse().unwrap());
        let opened = (0..4 * RETRIES).filter(|number| {
            streams.send(now + Duration::from_secs(60) * *number, local, remote, b"hello");
            // It ends before anything comes.
            streams.links[0].stream.take().is_some()
        });
        assert_eq!(opened.count() as u32, 1 + RETRIES);
    }
}
