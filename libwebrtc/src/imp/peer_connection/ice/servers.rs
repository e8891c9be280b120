//! The STUN and TURN servers of a connection: each is looked up, asked, and kept while it relays.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Instant;

use super::candidates::{Found, Wanted};
use super::sessions::{Session, SessionState};
use crate::imp::ice::binding::{Bindings, Query};
use crate::imp::ice::frames::FRAME_LIMIT;
use crate::imp::ice::turn::{Credentials, UNREACHABLE};
use crate::imp::ice::url::{ServerUrl, UrlError};
use crate::peer_connection::IceCandidateError;
use crate::peer_connection_factory::IceServer;

/// How many servers are asked; each is one URL.
const LIMIT: usize = 8;

/// All servers of a connection.
pub(super) struct Servers {
    sessions: Vec<Session>,
    bindings: Bindings,
    /// Our own sockets, which servers of STUN are asked about.
    hosts: Vec<SocketAddr>,
    scratch: Vec<u8>,
}

impl Default for Servers {
    fn default() -> Self {
        let scratch = vec![0; FRAME_LIMIT];
        Self { sessions: Vec::new(), bindings: Bindings::default(), hosts: Vec::new(), scratch }
    }
}

/// What a server relayed: its length in the buffer, from which peer, and our relayed address.
pub(super) type Relayed = (usize, SocketAddr, SocketAddr);

impl Servers {
    /// Asks those servers, and no others. A relay that works is kept, while the machine still has
    /// the address that it is reached from.
    pub(super) fn follow(
        &mut self,
        now: Instant,
        wanted: &Wanted,
        machine: &[SocketAddr],
        hosts: Vec<SocketAddr>,
        found: &mut VecDeque<Found>,
    ) {
        self.hosts = hosts;
        self.bindings.clear();
        let mut old = std::mem::take(&mut self.sessions);
        for (url, credentials) in urls(&wanted.servers, found) {
            let same = |it: &Session| it.url == url && it.is_usable(machine);
            let kept = old.iter().position(same).map(|at| old.swap_remove(at));
            let session = match kept {
                Some(mut session) => {
                    session.keep(credentials);
                    session
                }
                None => Session::start(url, credentials),
            };
            self.sessions.push(session);
        }
        for mut session in old {
            session.close(found);
        }
        self.query_all(now);
    }

    /// Asks the servers whose address is known how they see our sockets.
    fn query_all(&mut self, now: Instant) {
        for at in 0..self.sessions.len() {
            self.query(now, at);
        }
    }

    fn query(&mut self, now: Instant, at: usize) {
        let session = &self.sessions[at];
        for local in &self.hosts {
            let of_family = |it: &&SocketAddr| it.is_ipv4() == local.is_ipv4();
            if let Some(server) = session.stun_addresses().iter().find(of_family) {
                self.bindings.query(now, Query { local: *local, server: *server });
            }
        }
    }

    /// A query to send: from where, to where.
    pub(super) fn poll_query(&mut self) -> Option<(Query, Vec<u8>)> {
        self.bindings.poll()
    }

    /// Takes a datagram that came to a socket of ours, if it answers a query.
    pub(super) fn receive(&mut self, datagram: &[u8], found: &mut VecDeque<Found>) -> bool {
        let Some((query, seen)) = self.bindings.receive(datagram) else { return false };
        if let Some(seen) = seen {
            found.push_back(Found::Reflexive { seen, base: query.local });
        }
        true
    }

    /// Sends a datagram through the relay that listens at `from`.
    pub(super) fn send(&mut self, now: Instant, from: SocketAddr, to: SocketAddr, datagram: &[u8]) {
        if let Some(session) = self.sessions.iter_mut().find(|it| it.relayed() == Some(from)) {
            session.send(now, to, datagram);
        }
    }

    /// What a server relayed into `buffer`, meanwhile what goes on with the servers. None where
    /// something else changed.
    pub(super) fn poll(
        &mut self,
        now: Instant,
        context: &mut Context<'_>,
        buffer: &mut [u8],
        found: &mut VecDeque<Found>,
    ) -> Poll<Option<Relayed>> {
        let before = found.len();
        for at in 0..self.sessions.len() {
            let session = &mut self.sessions[at];
            let knew = session.stun_addresses().len();
            let polled = session.poll(now, context, &mut self.scratch, buffer, found);
            if session.stun_addresses().len() != knew {
                self.query(now, at);
                return Poll::Ready(None);
            }
            if let Poll::Ready(relayed) = polled {
                return Poll::Ready(Some(relayed));
            }
        }
        if found.len() == before { Poll::Pending } else { Poll::Ready(None) }
    }

    /// Whether each server has answered, or was given up.
    pub(super) fn is_settled(&self) -> bool {
        self.bindings.is_empty() && self.sessions.iter().all(Session::is_settled)
    }

    /// Whether the way to a relay fails.
    pub(super) fn is_failing(&self) -> bool {
        self.sessions.iter().any(Session::is_failing)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let sessions = self.sessions.iter().filter_map(Session::deadline);
        sessions.chain(self.bindings.deadline()).min()
    }

    pub(super) fn advance(&mut self, now: Instant, found: &mut VecDeque<Found>) {
        for query in self.bindings.advance(now) {
            // A relay tells of its own silence.
            let asked = |it: &&Session| {
                matches!(it.state, SessionState::Stun)
                    && it.stun_addresses().contains(&query.server)
            };
            if let Some(session) = self.sessions.iter().find(asked) {
                let text = "the server does not answer".to_owned();
                let url = session.url.to_string();
                found.push_back(error(&url, Some(query.local), UNREACHABLE, text));
            }
        }
        for session in &mut self.sessions {
            session.advance(now);
        }
    }

    /// Gives all relays back.
    pub(super) fn close(&mut self) {
        let mut found = VecDeque::new();
        for session in &mut self.sessions {
            session.close(&mut found);
        }
    }
}

/// The servers that can be asked, with what is wrong with the others.
fn urls(servers: &[IceServer], found: &mut VecDeque<Found>) -> Vec<(ServerUrl, Credentials)> {
    /// The number for a URL that is none.
    const BAD_REQUEST: u16 = 400;
    let mut urls: Vec<(ServerUrl, Credentials)> = Vec::new();
    for server in servers {
        for text in &server.urls {
            let parsed: Result<ServerUrl, UrlError> = text.parse();
            let problem = match parsed {
                Ok(url) if urls.iter().any(|(it, _)| *it == url) => continue,
                Ok(_) if urls.len() == LIMIT => format!("{LIMIT} servers are asked at most"),
                Ok(url) => {
                    let (username, password) = (server.username.clone(), server.password.clone());
                    urls.push((url, Credentials { username, password }));
                    continue;
                }
                Err(error) => error.to_string(),
            };
            found.push_back(error(text, None, BAD_REQUEST, problem));
        }
    }
    urls
}

/// Why a server gives no candidate.
pub(super) fn error(url: &str, local: Option<SocketAddr>, code: u16, text: String) -> Found {
    Found::Error(IceCandidateError {
        address: local.map(|it| it.ip().to_string()).unwrap_or_default(),
        port: local.map_or(0, |it| it.port().into()),
        url: url.to_owned(),
        error_code: code.into(),
        error_text: text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_servers_are_asked_than_the_limit_and_the_others_are_named() {
        let all: Vec<_> = (0..LIMIT + 2).map(|number| format!("stun:192.0.2.{number}")).collect();
        let (username, password) = (String::new(), String::new());
        let server = IceServer { urls: all.clone(), username, password };
        let mut found = VecDeque::new();
        assert_eq!(urls(&[server], &mut found).len(), LIMIT);
        let refused: Vec<_> = found
            .into_iter()
            .map(|found| match found {
                Found::Error(error) => (error.url, error.error_text),
                _ => panic!("only errors are found"),
            })
            .collect();
        let text = "8 servers are asked at most".to_owned();
        assert_eq!(refused, [8, 9].map(|number| (all[number].clone(), text.clone())));
    }
}
