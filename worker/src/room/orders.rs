//! What a job is told from outside: that it is over, by the server or by the worker.
//!
//! A server takes an agent that joins its room anew, to mend a connection that cannot be resumed,
//! for one that has left: it forgets the job, and tells the worker that it is terminated. Such a
//! call goes on. Whom a server means to put out of a room, it puts out of the room.

use tokio_util::sync::CancellationToken;

use super::End;
use crate::job::Assignment;

/// The ways in which a job is told that it is over.
#[derive(Debug)]
pub(super) struct Orders {
    terminated: CancellationToken,
    closed: CancellationToken,
    /// Whether the agent's own connection is broken: who ordered what is seen when it is mended.
    is_mending: bool,
}

impl Orders {
    /// Those of `assignment`.
    pub(super) fn of(assignment: &Assignment) -> Self {
        let (terminated, closed) = (assignment.terminated.clone(), assignment.closed.clone());
        Self { terminated, closed, is_mending: false }
    }

    /// Waits for the end that is ordered. Cancel safe.
    pub(super) async fn end(&self) -> End {
        tokio::select! {
            biased;
            () = self.closed.cancelled() => End::Closed,
            () = self.terminated.cancelled(), if !self.is_mending => End::Terminated,
        }
    }

    /// The agent's connection to the room is broken.
    pub(super) fn broke(&mut self) {
        self.is_mending = true;
    }

    /// The agent has joined anew: the job that the server knew is over, and the call is not.
    pub(super) fn rejoined(&mut self) {
        self.terminated = CancellationToken::new();
    }

    /// The connection is as it was.
    pub(super) fn mended(&mut self) {
        self.is_mending = false;
    }

    /// Whether the connection is broken.
    pub(super) fn is_mending(&self) -> bool {
        self.is_mending
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn orders() -> (Orders, CancellationToken, CancellationToken) {
        let (terminated, closed) = (CancellationToken::new(), CancellationToken::new());
        let orders =
            Orders { terminated: terminated.clone(), closed: closed.clone(), is_mending: false };
        (orders, terminated, closed)
    }

    #[test]
    fn each_has_its_name() {
        let (orders, terminated, closed) = orders();
        assert_eq!(orders.end().now_or_never(), None);
        terminated.cancel();
        assert_eq!(orders.end().now_or_never(), Some(End::Terminated));
        closed.cancel();
        assert_eq!(orders.end().now_or_never(), Some(End::Closed));
    }

    #[test]
    fn what_is_ordered_of_a_resumed_connection_counts_then() {
        let (mut orders, terminated, _closed) = orders();
        orders.broke();
        terminated.cancel();
        assert_eq!(orders.end().now_or_never(), None);
        orders.mended();
        assert_eq!(orders.end().now_or_never(), Some(End::Terminated));
    }

    #[test]
    fn joining_anew_is_no_end() {
        for told_first in [true, false] {
            let (mut orders, terminated, closed) = orders();
            orders.broke();
            if told_first {
                terminated.cancel();
            }
            orders.rejoined();
            orders.mended();
            terminated.cancel();
            assert_eq!(orders.end().now_or_never(), None);
            closed.cancel();
            assert_eq!(orders.end().now_or_never(), Some(End::Closed));
        }
    }
}
