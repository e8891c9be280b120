//! The connections that nobody uses.

use std::sync::{Mutex, MutexGuard};

use tokio::sync::Notify;

use crate::connection::Connection;

/// Connections that wait, the one given back last on top: it is the most likely to be alive, and
/// those below grow cold.
#[derive(Debug)]
pub(super) struct Idle {
    max_kept: usize,
    stack: Mutex<Stack>,
    given_back: Notify,
}

#[derive(Debug, Default)]
struct Stack {
    connections: Vec<Connection>,
    closed: bool,
}

impl Idle {
    pub(super) fn new(max_kept: usize) -> Self {
        Self { max_kept, stack: Mutex::default(), given_back: Notify::new() }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.stack().connections.len()
    }

    /// Takes the one on top, once there is one.
    pub(super) async fn next(&self) -> Connection {
        loop {
            if let Some(top) = self.stack().connections.pop() {
                return top;
            }
            // One that was given back may have been taken by somebody else by then.
            self.given_back.notified().await;
        }
    }

    /// Keeps the connection where there is room; gives it back otherwise.
    pub(super) fn keep(&self, connection: Connection) -> Option<Connection> {
        let mut stack = self.stack();
        if stack.closed || stack.connections.len() >= self.max_kept {
            return Some(connection);
        }
        stack.connections.push(connection);
        drop(stack);
        self.given_back.notify_one();
        None
    }

    /// Keeps none from now on; gives those that were kept.
    pub(super) fn close(&self) -> Vec<Connection> {
        let mut stack = self.stack();
        stack.closed = true;
        std::mem::take(&mut stack.connections)
    }

    fn stack(&self) -> MutexGuard<'_, Stack> {
        self.stack.lock().expect("nothing under this lock can panic")
    }
}
