//! Whom a relay may send to, and by which channel.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How many peers a relay sends to. When there are more, the one longest not sent to is forgotten.
pub(super) const LIMIT: usize = 32;

/// How many datagrams wait for the permission to be sent; then the oldest is lost.
const PENDING_LIMIT: usize = 16;

/// A permission lasts five minutes (RFC 8656, section 9); it is asked for again before.
const PERMISSION: Duration = Duration::from_secs(300);
const PERMISSION_RENEWED: Duration = Duration::from_secs(240);

/// A channel lasts ten minutes (RFC 8656, section 12).
const CHANNEL: Duration = Duration::from_secs(600);
const CHANNEL_RENEWED: Duration = Duration::from_secs(480);

/// When a refused permission is asked for again.
const REFUSED: Duration = Duration::from_secs(30);

/// The numbers that channels may have.
const CHANNELS: std::ops::RangeInclusive<u16> = 0x4000..=0x4FFF;

/// Something that the server grants for a while.
#[derive(Default, Clone, Copy)]
struct Grant {
    until: Option<Instant>,
    /// Not asked for before.
    ask_at: Option<Instant>,
    is_asked: bool,
}

impl Grant {
    fn holds(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    /// Whether to ask now; then it counts as asked.
    fn ask(&mut self, now: Instant) -> bool {
        let due = !self.is_asked && self.ask_at.is_none_or(|at| at <= now);
        self.is_asked |= due;
        due
    }

    fn granted(&mut self, now: Instant, lasts: Duration, renewed: Duration) {
        *self = Self { until: Some(now + lasts), ask_at: Some(now + renewed), is_asked: false };
    }

    fn refused(&mut self, now: Instant) {
        self.ask_at = Some(now + REFUSED);
        self.is_asked = false;
    }
}

/// One peer.
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    channel: u16,
    permission: Grant,
    bound: Grant,
    pending: VecDeque<Vec<u8>>,
    sent_at: Instant,
}

/// How a datagram goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Way {
    Channel(u16),
    Indication,
    /// It waits, or is lost.
    None,
}

/// What to ask the server for, so that datagrams go, or go on.
#[derive(Default, Debug, PartialEq, Eq)]
pub(super) struct Asks {
    pub(super) permission: bool,
    pub(super) channel: Option<u16>,
}

/// All peers of a relay.
pub(super) struct Peers {
    peers: Vec<Peer>,
    next: u16,
}

impl Default for Peers {
    fn default() -> Self {
        Self { peers: Vec::new(), next: *CHANNELS.start() }
    }
}

impl Peers {
    /// A datagram is to be sent to `address`: how, and what to ask for.
    pub(super) fn send(
        &mut self,
        now: Instant,
        address: SocketAddr,
        datagram: &[u8],
    ) -> (Way, Asks) {
        let peer = self.peer(now, address);
        peer.sent_at = now;
        let mut asks = Asks { permission: peer.permission.ask(now), channel: None };
        if !peer.permission.holds(now) {
            if peer.pending.len() == PENDING_LIMIT {
                peer.pending.pop_front();
            }
            if peer.permission.is_asked {
                peer.pending.push_back(datagram.to_vec());
            }
            return (Way::None, asks);
        }
        asks.channel = peer.bound.ask(now).then_some(peer.channel);
        let way = if peer.bound.holds(now) { Way::Channel(peer.channel) } else { Way::Indication };
        (way, asks)
    }

    fn peer(&mut self, now: Instant, address: SocketAddr) -> &mut Peer {
        let known = self.peers.iter().position(|it| it.address == address);
        let at = known.unwrap_or_else(|| {
            if self.peers.len() == LIMIT {
                let oldest = (0..LIMIT).min_by_key(|at| self.peers[*at].sent_at);
                self.peers.swap_remove(oldest.expect("there are some"));
            }
            let channel = self.next;
            self.next = if channel == *CHANNELS.end() { *CHANNELS.start() } else { channel + 1 };
            self.peers.push(Peer {
                address,
                channel,
                permission: Grant::default(),
                bound: Grant::default(),
                pending: VecDeque::new(),
                sent_at: now,
            });
            self.peers.len() - 1
        });
        &mut self.peers[at]
    }

    /// The server permits a peer: returns what waited for that.
    pub(super) fn permitted(&mut self, now: Instant, address: SocketAddr) -> VecDeque<Vec<u8>> {
        let Some(peer) = self.get(address) else { return VecDeque::new() };
        peer.permission.granted(now, PERMISSION, PERMISSION_RENEWED);
        std::mem::take(&mut peer.pending)
    }

    pub(super) fn refused(&mut self, now: Instant, address: SocketAddr) {
        if let Some(peer) = self.get(address) {
            peer.permission.refused(now);
            peer.pending.clear();
        }
    }

    pub(super) fn bound(&mut self, now: Instant, address: SocketAddr) {
        if let Some(peer) = self.get(address) {
            peer.bound.granted(now, CHANNEL, CHANNEL_RENEWED);
        }
    }

    pub(super) fn unbound(&mut self, now: Instant, address: SocketAddr) {
        if let Some(peer) = self.get(address) {
            peer.bound.refused(now);
        }
    }

    /// Whose channel that is.
    pub(super) fn of_channel(&self, channel: u16) -> Option<SocketAddr> {
        self.peers.iter().find(|it| it.channel == channel).map(|it| it.address)
    }

    fn get(&mut self, address: SocketAddr) -> Option<&mut Peer> {
        self.peers.iter_mut().find(|it| it.address == address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: usize) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, number as u8], 5_000))
    }

    #[test]
    fn of_too_many_peers_the_one_longest_not_sent_to_is_forgotten() {
        let now = tokio::time::Instant::now().into_std();
        let mut peers = Peers::default();
        let at = |number: usize| now + Duration::from_millis(number as u64);
        for number in 0..LIMIT {
            peers.send(at(number), address(number), b"hello");
        }
        peers.send(at(LIMIT), address(0), b"again");
        peers.send(at(LIMIT + 1), address(LIMIT), b"one more");
        assert_eq!(peers.peers.len(), LIMIT);
        let known = |number| peers.peers.iter().any(|it| it.address == address(number));
        assert!(known(0) && !known(1) && known(LIMIT));
    }

    #[test]
    fn of_what_waits_for_a_permission_the_oldest_is_lost() {
        let now = tokio::time::Instant::now().into_std();
        let mut peers = Peers::default();
        for number in 0..PENDING_LIMIT as u8 + 3 {
            peers.send(now, address(1), &[number]);
        }
        let kept: Vec<_> = peers.permitted(now, address(1)).into();
        assert_eq!(kept, (3..PENDING_LIMIT as u8 + 3).map(|it| vec![it]).collect::<Vec<_>>());
    }
}
