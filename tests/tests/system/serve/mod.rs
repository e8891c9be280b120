//! `voicegraph serve`: calls over websockets, from the client's side.

mod ends;
mod providers;
mod refusals;
mod talk;

use std::time::Duration;

use serde_json::Value;
use voicegraph_tests::http;
use voicegraph_tests::program::{Process, Variable};
use voicegraph_tests::sample::Sample;
use voicegraph_tests::scenario::clinic;
use voicegraph_tests::serve::Serve;
use voicegraph_tests::sound::Sound;

/// How long the process may take to notice that a client is gone.
const NOTICE_LIMIT: Duration = Duration::from_secs(10);

/// The server in a process of its own.
struct Server {
    process: Process,
    /// Where it listens.
    authority: String,
    _database: Sample,
}

impl Server {
    /// Serves the clinic with providers in the same process.
    async fn simulated(more: &[&str]) -> Self {
        Self::start(&[&["--env", "dev"], more].concat(), &[]).await
    }

    async fn start(more: &[&str], variables: &[Variable<'_>]) -> Self {
        let database = Sample::new().await;
        let variables = [variables, &[database.variable()]].concat();
        let arguments = [&["pipelines/clinic"], more].concat();
        let Serve { process, authority } = Serve::start(&arguments, &variables).await;
        Self { process, authority, _database: database }
    }

    /// Waits until `sessions` calls are in progress.
    async fn has_sessions(&self, sessions: u32) {
        let holds = |health: &Value| health["sessions"] == sessions;
        http::until(&self.authority, "/health", NOTICE_LIMIT, holds).await;
    }

    /// Checks that no call left anything on an edge, and that every edge adds up.
    async fn is_empty(&self) {
        self.has_sessions(0).await;
        let edges = http::get(&self.authority, "/edges").await.json();
        for edge in edges["pipelines"][0]["edges"].as_array().unwrap() {
            let dropped = edge["dropped"].as_object().unwrap().values();
            let dropped: u64 = dropped.map(|count| count.as_u64().unwrap()).sum();
            let passed = edge["received"].as_u64().unwrap() + dropped;
            assert_eq!((edge["length"].as_u64(), edge["sent"].as_u64()), (Some(0), Some(passed)));
        }
    }
}

/// A line of the demo's caller; where each lies in the file says `demo/script.toml`.
fn line(from_ms: u64, to_ms: u64) -> Vec<i16> {
    Sound::read(&clinic().join("demo/caller.wav")).remove(0).part(from_ms, to_ms).samples
}

/// "Hello, when are you open this week?"
fn opening_hours() -> Vec<i16> {
    line(0, 2_041)
}

/// "Sorry, can I see a doctor on Tuesday?"
fn tuesday() -> Vec<i16> {
    line(2_541, 4_947)
}
