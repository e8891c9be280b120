//! Requests under way: sent again until they are answered, or given up.

use std::time::{Duration, Instant};

use super::stun::Id;

/// How long an answer is waited for at first; each time twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// How often a request is sent over UDP. With the waits: given up after 7.75 s.
const SENDS: u32 = 5;

/// How long an answer is waited for over a stream, which sends again by itself.
const STREAM_WAIT: Duration = Duration::from_millis(7750);

/// More requests than the peers and the allocation have under way at once.
const LIMIT: usize = 128;

/// A request without its answer.
pub(crate) struct Request<P> {
    pub(crate) purpose: P,
    /// How often the server asked for other credentials.
    pub(crate) challenges: u32,
    id: Id,
    bytes: Vec<u8>,
    sends: u32,
    next: Instant,
}

/// All requests without answers.
pub(crate) struct Requests<P> {
    pending: Vec<Request<P>>,
    is_stream: bool,
}

impl<P> Requests<P> {
    pub(crate) fn new(is_stream: bool) -> Self {
        Self { pending: Vec::new(), is_stream }
    }

    /// Notes a request that is sent now.
    pub(crate) fn add(
        &mut self,
        now: Instant,
        purpose: P,
        challenges: u32,
        (id, bytes): (Id, Vec<u8>),
    ) {
        if self.pending.len() < LIMIT {
            let next = now + if self.is_stream { STREAM_WAIT } else { FIRST_WAIT };
            self.pending.push(Request { purpose, challenges, id, bytes, sends: 1, next });
        }
    }

    /// The request that an answer belongs to, which is then answered.
    pub(crate) fn answered(&mut self, id: Id) -> Option<Request<P>> {
        let at = self.pending.iter().position(|it| it.id == id)?;
        Some(self.pending.swap_remove(at))
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.pending.iter().map(|it| it.next).min()
    }

    /// Has `send` send again what is due, and returns what is given up.
    pub(crate) fn advance(
        &mut self,
        now: Instant,
        mut send: impl FnMut(&P, &[u8]),
    ) -> Vec<Request<P>> {
        for request in self.pending.iter_mut().filter(|it| it.next <= now) {
            if !self.is_stream && request.sends < SENDS {
                send(&request.purpose, &request.bytes);
                request.next = now + FIRST_WAIT * 2_u32.pow(request.sends);
                request.sends += 1;
            }
        }
        self.pending.extract_if(.., |it| it.next <= now).collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.pending.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::super::stun::fresh_id;
    use super::*;

    #[test]
    fn no_more_requests_are_waited_for_than_the_limit() {
        let now = tokio::time::Instant::now().into_std();
        let mut requests = Requests::new(false);
        for number in 0..LIMIT + 10 {
            requests.add(now, number, 0, (fresh_id(), Vec::new()));
        }
        assert_eq!(requests.pending.len(), LIMIT);
    }
}
