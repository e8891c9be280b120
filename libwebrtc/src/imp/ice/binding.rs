//! Asks STUN servers how they see our sockets, pure.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use super::requests::Requests;
use super::stun::{Attribute, Class, Message, Method, Writer, fresh_id};

/// One query: how the server sees a socket of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) local: SocketAddr,
    pub(crate) server: SocketAddr,
}

/// All queries under way.
pub(crate) struct Bindings {
    requests: Requests<Query>,
    outbox: VecDeque<(Query, Vec<u8>)>,
}

impl Default for Bindings {
    fn default() -> Self {
        Self { requests: Requests::new(false), outbox: VecDeque::new() }
    }
}

impl Bindings {
    pub(crate) fn query(&mut self, now: Instant, query: Query) {
        let id = fresh_id();
        let bytes = Writer::new(Class::Request, Method::Binding, id).unsigned();
        self.outbox.push_back((query, bytes.clone()));
        self.requests.add(now, query, 0, (id, bytes));
    }

    /// What to send, from and to where.
    pub(crate) fn poll(&mut self) -> Option<(Query, Vec<u8>)> {
        self.outbox.pop_front()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// Whether an answer to any query is waited for.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.requests.deadline()
    }

    /// A datagram from anywhere. Where it answers a query: that, and how the server sees us.
    pub(crate) fn receive(&mut self, bytes: &[u8]) -> Option<(Query, Option<SocketAddr>)> {
        if self.requests.is_empty() {
            return None;
        }
        let message = Message::read(bytes)?;
        if message.method != Method::Binding
            || !matches!(message.class, Class::Success | Class::Error)
        {
            return None;
        }
        let query = self.requests.answered(message.id)?.purpose;
        let plain = || message.address(Attribute::MappedAddress);
        Some((query, message.address(Attribute::XorMappedAddress).or_else(plain)))
    }

    /// Asks again what is due, and returns what is given up.
    pub(crate) fn advance(&mut self, now: Instant) -> Vec<Query> {
        let outbox = &mut self.outbox;
        let send = |query: &Query, bytes: &[u8]| outbox.push_back((*query, bytes.to_vec()));
        self.requests.advance(now, send).into_iter().map(|it| it.purpose).collect()
    }

    pub(crate) fn clear(&mut self) {
        self.requests.clear();
        self.outbox.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn query() -> Query {
        Query { local: "192.0.2.1:5".parse().unwrap(), server: "192.0.2.2:3478".parse().unwrap() }
    }

    #[test]
    fn an_answer_tells_how_we_are_seen() {
        let now = tokio::time::Instant::now().into_std();
        let mut bindings = Bindings::default();
        bindings.query(now, query());
        let (_, request) = bindings.poll().unwrap();
        let id = Message::read(&request).unwrap().id;
        let seen: SocketAddr = "198.51.100.7:4321".parse().unwrap();
        let answer = |id| {
            Writer::new(Class::Success, Method::Binding, id)
                .address(Attribute::XorMappedAddress, seen)
                .unsigned()
        };
        assert_eq!(bindings.receive(&answer([9; 12])), None, "nobody asked that");
        assert_eq!(bindings.receive(b"garbage"), None);
        assert_eq!(bindings.receive(&answer(id)), Some((query(), Some(seen))));
        assert_eq!(bindings.receive(&answer(id)), None, "once is enough");
    }

    #[test]
    fn a_silent_server_is_asked_five_times() {
        let mut now = tokio::time::Instant::now().into_std();
        let start = now;
        let mut bindings = Bindings::default();
        bindings.query(now, query());
        let (mut sent, mut given_up) = (0, Vec::new());
        while let Some(deadline) = bindings.deadline() {
            while bindings.poll().is_some() {
                sent += 1;
            }
            now = deadline;
            given_up.extend(bindings.advance(now));
        }
        assert_eq!((sent, given_up), (5, vec![query()]));
        assert_eq!(now - start, Duration::from_millis(7750));
    }
}
