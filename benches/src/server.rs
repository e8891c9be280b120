//! What a server tells of itself, and what it may keep of calls that are over.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use voicegraph_tests::http;

/// Connections that the database's pool keeps open, its default: a burst of calls opens them.
const KEPT_CONNECTIONS: usize = 10;

/// Files that may be open after the calls and were not before: those of the kept connections to
/// SQLite, each the database, its log and the log's index. Forty calls that left one each are more.
pub const SPARE_FILES: usize = 3 * KEPT_CONNECTIONS;

/// Threads that may be there after the calls and were not before: one of each kept connection to
/// SQLite, and those that a runtime keeps for blocking work, and lets go when they idle.
pub const SPARE_THREADS: usize = KEPT_CONNECTIONS + 2;

/// `/health`, as far as it is needed.
#[derive(Debug, Deserialize)]
struct Health {
    sessions: u32,
}

/// `/edges`, as far as it is needed.
#[derive(Debug, Deserialize)]
struct Edges {
    pipelines: Vec<Pipeline>,
}

#[derive(Debug, Deserialize)]
struct Pipeline {
    edges: Vec<Edge>,
}

/// What passed one edge.
#[derive(Debug, Deserialize)]
pub struct Edge {
    /// Its written form.
    pub edge: String,
    /// Messages offered to it.
    pub sent: u64,
    /// Messages that a node received.
    pub received: u64,
    dropped: BTreeMap<String, u64>,
    /// Messages that wait.
    pub length: u64,
    /// How long messages waited, in µs.
    pub queue_us: Percentiles,
}

/// A distribution; without values there are none.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Percentiles {
    /// Half of the values are at most this.
    pub p50: Option<u64>,
    /// 99 % are.
    pub p99: Option<u64>,
}

impl Edge {
    /// Messages dropped, for any reason.
    pub fn dropped(&self) -> u64 {
        self.dropped.values().sum()
    }
}

/// How many calls the server at `at` has.
///
/// # Errors
/// Where it does not say so.
pub async fn sessions(at: &str) -> anyhow::Result<u32> {
    let health: Health = get(at, "/health").await?;
    Ok(health.sessions)
}

/// Every edge of the server at `at`.
///
/// # Errors
/// Where it does not tell them.
pub async fn edges(at: &str) -> anyhow::Result<Vec<Edge>> {
    let edges: Edges = get(at, "/edges").await?;
    Ok(edges.pipelines.into_iter().flat_map(|pipeline| pipeline.edges).collect())
}

async fn get<T: DeserializeOwned>(at: &str, path: &str) -> anyhow::Result<T> {
    let answer = http::get(at, path).await;
    ensure!(answer.status == 200, "{path}: {}", answer.head);
    serde_json::from_str(&answer.body).with_context(|| path.to_owned())
}
