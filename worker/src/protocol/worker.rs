//! A worker at work: the async shell around [`State`](super::state::State).
//!
//! One task waits for everything: the socket, the ends of jobs, the time, the load, and the wish to
//! stop. Jobs are tasks in a set of the worker's own, so that they outlive any connection.

mod link;
mod shell;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use voicegraph_engine::connect::Connector;

use super::load::Load;
use super::settings::Settings;
use super::status::Status;
use crate::job::Answer;
use shell::Shell;

/// An agent worker, not yet connected.
pub struct Worker {
    settings: Settings,
    connector: Connector,
    answer: Arc<dyn Answer>,
    load: Box<dyn Load>,
    status: watch::Sender<Status>,
}

/// How a worker ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Goodbye {
    /// Jobs that ended well.
    pub finished: u64,
    /// Jobs that failed.
    pub failed: u64,
    /// Jobs that still ran when the time for draining was over, or when the end came.
    pub cut: u64,
    /// Ends of jobs that the server was not told of, since there was no connection.
    pub untold: u64,
}

impl Worker {
    /// A worker that reaches its server through `connector`, whose jobs are carried out by
    /// `answer`, and that tells the load that `load` measures.
    pub fn new(
        settings: Settings,
        connector: Connector,
        answer: Arc<dyn Answer>,
        load: Box<dyn Load>,
    ) -> Self {
        Self { settings, connector, answer, load, status: watch::Sender::default() }
    }

    /// How the worker is, at any time; it can be kept beyond the worker's end.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// Works. When `drain` fires it takes no more jobs, and ends once those in progress have, which
    /// are told to end after `drain_limit`. When `end` fires it ends at once, and jobs with it.
    pub async fn run(
        self,
        drain: CancellationToken,
        end: CancellationToken,
        drain_limit: Duration,
    ) -> Goodbye {
        Shell::new(self).run(drain, end, drain_limit).await
    }
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").field("settings", &self.settings).finish_non_exhaustive()
    }
}
