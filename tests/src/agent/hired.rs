//! A worker at work.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use voicegraph_engine::connect::{Connector, Roots};
use voicegraph_engine::secret::Secret;
use voicegraph_worker::job::Answer;
use voicegraph_worker::protocol::{Goodbye, Keys, Load, Server, Settings, Status, Steady, Worker};

use super::desk::Desk;
use crate::livekit::{KEY, SECRET, within};

/// A worker that runs. Dropping it ends it at once.
#[derive(Debug)]
pub struct Hired {
    /// Fire it, and the worker takes no more jobs.
    pub drain: CancellationToken,
    /// Fire it, and the worker ends at once.
    pub end: CancellationToken,
    status: watch::Receiver<Status>,
    task: JoinHandle<Goodbye>,
}

/// The keys of the tests' servers.
pub fn keys() -> Keys {
    Keys { key: KEY.to_owned(), secret: Secret::new(SECRET) }
}

/// Settings of a worker of that agent name at `url`, whose load does not matter, and which comes
/// back soon after a loss.
///
/// # Panics
/// Where the URL is none.
pub fn settings(url: &str, agent_name: &str) -> Settings {
    let server = Server::parse(url).expect("the test's URL is one");
    let mut settings = Settings::new(server, keys());
    settings.agent_name = agent_name.to_owned();
    settings.load_threshold = f32::INFINITY;
    settings.timing.backoff_jitter = Duration::from_millis(20);
    settings
}

/// Hires a worker without load.
pub fn hire(settings: Settings, desk: &Desk, drain_limit: Duration) -> Hired {
    Hired::new(settings, Arc::new(desk.clone()), Box::new(Steady(0.0)), drain_limit)
}

impl Hired {
    /// Starts a worker.
    pub fn new(
        settings: Settings,
        answer: Arc<dyn Answer>,
        load: Box<dyn Load>,
        drain_limit: Duration,
    ) -> Self {
        let worker = Worker::new(settings, Connector::new(&Roots::Mozilla), answer, load);
        let (drain, end) = (CancellationToken::new(), CancellationToken::new());
        let status = worker.status();
        let task = tokio::spawn(worker.run(drain.clone(), end.clone(), drain_limit));
        Self { drain, end, status, task }
    }

    /// How it is now.
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Follows how it is.
    pub fn watch(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Waits until its status `holds`.
    ///
    /// # Panics
    /// Where it does not in time: the message says `what` was waited for.
    pub async fn until(&self, what: &str, holds: impl Fn(&Status) -> bool) -> Status {
        let mut status = self.status.clone();
        let held = within(what, status.wait_for(holds)).await;
        held.unwrap_or_else(|_| panic!("the worker ended before {what}")).clone()
    }

    /// Waits until it is registered.
    ///
    /// # Panics
    /// Where it is not in time.
    pub async fn registered(&self) -> Status {
        self.until("registration", |status| status.worker_id.is_some()).await
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// Where it does not come.
    pub async fn ended(mut self) -> Goodbye {
        within("the worker's end", &mut self.task).await.expect("it does not panic")
    }
}

impl Drop for Hired {
    fn drop(&mut self) {
        self.task.abort();
    }
}
