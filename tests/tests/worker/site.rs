//! The worker on real livekit-servers, 1.11.0 and 1.8.4: each function is a test against both.

use std::time::Duration;

use voicegraph_tests::agent::{Api, Desk, Hired, hire, settings};
use voicegraph_tests::livekit::{Server, Version};

/// More than any job of these tests runs.
pub(crate) const DRAIN_LIMIT: Duration = Duration::from_secs(60);

/// A real server, and the name of the test, which agents and rooms are called by.
pub(crate) struct Site {
    pub(crate) server: &'static Server,
    pub(crate) name: &'static str,
}

impl Site {
    pub(crate) fn api(&self) -> Api<'static> {
        Api(self.server)
    }

    /// A registered worker with so many places, for jobs by the test's name.
    pub(crate) async fn worker(&self, places: u32) -> (Hired, Desk) {
        let desk = Desk::new(places);
        (self.worker_of(&desk).await, desk)
    }

    /// A registered worker with that desk.
    pub(crate) async fn worker_of(&self, desk: &Desk) -> Hired {
        let worker = hire(settings(&self.server.url(), self.name), desk, DRAIN_LIMIT);
        worker.ready().await;
        worker
    }
}

/// Has a test play on the shared server of that version.
pub(crate) async fn play(name: &'static str, version: Version, play: impl AsyncFnOnce(Site)) {
    let suite = format!("worker {name} {}", version.name());
    if let Some(server) = Server::shared(&suite, version) {
        play(Site { server, name }).await;
    }
}

/// Makes each function over a site a test against both servers: `NAME::new` and `NAME::old`.
macro_rules! against_both {
    ($($play:ident),+ $(,)?) => {
        voicegraph_tests::against_both!(crate::site::play: $($play),+);
    };
}
pub(crate) use against_both;
