//! Our candidates: what the network finds is given to str0m, and told to the peer.

use std::net::SocketAddr;
use std::time::Instant;

use str0m::Candidate;
use str0m::net::{Protocol, TcpType};
use tracing::debug;

use super::super::core::Core;
use super::super::notice::Notice;
use crate::ice_candidate::IceCandidate;
use crate::peer_connection::{IceCandidateError, IceGatheringState};
use crate::peer_connection_factory::IceServer;
use crate::session_description::SessionDescription;

/// How many candidates of ours there are at once.
const LIMIT: usize = 64;

/// What is to be gathered.
#[derive(Clone, Default)]
pub(in super::super) struct Wanted {
    pub(in super::super) servers: Vec<IceServer>,
    /// Whether nothing may go but through relays.
    pub(in super::super) relays_only: bool,
}

/// What was found.
pub(in super::super) enum Found {
    /// An address of the machine. Over TCP: one that connections are opened from.
    Host(Protocol, SocketAddr),
    /// How a server sees our address `base`.
    Reflexive { seen: SocketAddr, base: SocketAddr },
    /// Where a relay listens for us, and the address that it is reached from.
    Relayed { relayed: SocketAddr, local: Option<SocketAddr> },
    /// A server gives no candidate.
    Error(IceCandidateError),
    /// A candidate's address that is of no use any more.
    Gone(Protocol, SocketAddr),
    /// All was asked.
    Complete,
}

/// Our candidates.
#[derive(Default)]
pub(in super::super) struct Candidates {
    pub(in super::super) wanted: Wanted,
    /// Whether to look for addresses.
    pub(in super::super) due: bool,
    /// What the search is called that addresses were looked for last.
    name: String,
    known: Vec<Candidate>,
    /// Found while an offer to look for a path anew has no answer: the peer would take them for
    /// the old path's.
    held: Vec<Candidate>,
}

impl Core {
    /// Has servers asked, at once where addresses were looked for already.
    pub(in super::super) fn configure(&mut self, wanted: Wanted) {
        self.candidates.wanted = wanted;
        if self.gathering != IceGatheringState::New && !self.is_closed() {
            self.gather();
        }
    }

    /// Has the task look for addresses, where the description begins to look for a path, or does so
    /// anew.
    pub(in super::super) fn gather_for(&mut self, description: &SessionDescription) {
        let mut lines = description.text().lines();
        let name = lines.find_map(|line| line.strip_prefix("a=ice-ufrag:")).unwrap_or_default();
        if self.gathering == IceGatheringState::New || self.candidates.name != name {
            name.clone_into(&mut self.candidates.name);
            self.gather();
        }
    }

    /// Has the task look for addresses.
    fn gather(&mut self) {
        self.candidates.due = true;
        self.set_gathering(IceGatheringState::Gathering);
    }

    pub(in super::super) fn on_found(&mut self, now: Instant, found: Found) {
        match found {
            Found::Host(Protocol::Udp, address) => {
                self.add_local(Candidate::host(address, Protocol::Udp));
            }
            Found::Host(_, address) => {
                let candidate = Candidate::builder().tcp().host(address);
                self.add_local(candidate.tcptype(TcpType::Active).build());
            }
            Found::Reflexive { seen, base } => {
                self.add_local(Candidate::server_reflexive(seen, base, Protocol::Udp));
            }
            Found::Relayed { relayed, local } => {
                let local = local.unwrap_or(relayed);
                self.add_local(Candidate::relayed(relayed, local, Protocol::Udp));
            }
            Found::Error(error) => self.tell(Notice::CandidateError(error)),
            Found::Gone(protocol, address) => {
                self.remove_address(now, address);
                self.remove_local(protocol, address);
            }
            Found::Complete => self.set_gathering(IceGatheringState::Complete),
        }
    }

    fn add_local(&mut self, candidate: Result<Candidate, str0m::error::IceError>) {
        let known = |it: &Candidate| {
            let ours = self.candidates.known.iter().chain(&self.candidates.held);
            ours.into_iter().any(|ours| ours.proto() == it.proto() && ours.addr() == it.addr())
        };
        match candidate {
            Ok(candidate) if known(&candidate) => {}
            Ok(_) if self.candidates.known.len() + self.candidates.held.len() >= LIMIT => {
                debug!("candidate passed over: there are {LIMIT}");
            }
            Ok(candidate) => self.candidates.held.push(candidate),
            Err(error) => debug!(%error, "candidate passed over"),
        }
    }

    /// Gives str0m what was found, and tells the peer.
    pub(in super::super) fn release_candidates(&mut self) {
        if self.candidates.held.is_empty() || self.negotiation.is_restart_offered() {
            return;
        }
        for candidate in std::mem::take(&mut self.candidates.held) {
            self.candidates.known.push(candidate.clone());
            let Some(candidate) = self.rtc.add_local_candidate(candidate).cloned() else {
                continue;
            };
            let mid = self.negotiation.first_mid();
            self.tell(Notice::Candidate(Box::new(IceCandidate::local(mid, &candidate))));
        }
    }

    fn remove_local(&mut self, protocol: Protocol, address: SocketAddr) {
        // What a server saw of a socket goes with it.
        let is_it = |it: &mut Candidate| {
            it.proto() == protocol && (it.addr() == address || it.local() == address)
        };
        self.candidates.held.retain_mut(|it| !is_it(it));
        for candidate in self.candidates.known.extract_if(.., is_it) {
            self.rtc.direct_api().invalidate_candidate(&candidate);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::super::shared::now;
    use super::*;

    #[test]
    fn there_are_no_more_candidates_than_the_limit() {
        let mut core = Core::new(true, Arc::default(), now());
        let address = |number: usize| SocketAddr::from(([192, 0, 2, number as u8], 5_000));
        let mut find = |found| {
            core.on_found(now(), found);
            core.drain(now());
            let told = core.poll(now()).notices.into_iter();
            told.filter(|notice| matches!(notice, Notice::Candidate(_))).count()
        };
        let host = |number| Found::Host(Protocol::Udp, address(number));
        let told: usize = (0..LIMIT + 10).map(|number| find(host(number))).sum();
        assert_eq!(told, LIMIT);
        find(Found::Gone(Protocol::Udp, address(0)));
        assert_eq!(find(host(LIMIT)), 1, "there is room again");
    }
}
