//! Asks the server for its figures.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// An answer takes no longer.
const LIMIT: Duration = Duration::from_secs(10);

/// `/health`, as far as it is needed.
#[derive(Debug, Deserialize)]
pub struct Health {
    /// Calls in progress.
    pub sessions: u32,
}

/// `/edges`, as far as it is needed.
#[derive(Debug, Deserialize)]
pub struct Edges {
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

/// Whether the server at `at` has calls.
///
/// # Errors
/// Where it does not say so.
pub async fn health(at: &str) -> anyhow::Result<Health> {
    get(at, "/health").await
}

/// Every edge of the server at `at`.
///
/// # Errors
/// Where it does not tell them.
pub async fn edges(at: &str) -> anyhow::Result<Vec<Edge>> {
    let edges: Edges = get(at, "/edges").await?;
    Ok(edges.pipelines.into_iter().flat_map(|pipeline| pipeline.edges).collect())
}

/// `/metrics` of the server at `at`.
///
/// # Errors
/// Where it does not tell them.
pub async fn metrics(at: &str) -> anyhow::Result<String> {
    let (status, body) = ask(at, "/metrics").await?;
    ensure!(status.contains(" 200 "), "/metrics: {status}");
    Ok(String::from_utf8(body)?)
}

/// The status line and the body that `at` answers to `GET path`: HTTP/1.0 ends with its connection.
///
/// # Errors
/// Where there is no answer in time.
pub async fn ask(at: &str, path: &str) -> anyhow::Result<(String, Vec<u8>)> {
    let asking = async {
        let mut stream = TcpStream::connect(at).await?;
        let request = format!("GET {path} HTTP/1.0\r\nHost: {at}\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        anyhow::Ok(answer)
    };
    let answer = timeout(LIMIT, asking).await.context("no answer")??;
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n").context("no HTTP")?;
    let status = answer[..head].split(|&byte| byte == b'\r').next().unwrap_or_default();
    Ok((String::from_utf8_lossy(status).into_owned(), answer[head + 4..].to_vec()))
}

async fn get<T: DeserializeOwned>(at: &str, path: &str) -> anyhow::Result<T> {
    let (status, body) = ask(at, path).await.with_context(|| path.to_owned())?;
    ensure!(status.contains(" 200 "), "{path}: {status}");
    serde_json::from_slice(&body).with_context(|| path.to_owned())
}
