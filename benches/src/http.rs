//! Asks the server for its figures.

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
pub(crate) struct Health {
    pub(crate) sessions: u32,
}

/// `/edges`, as far as it is needed.
#[derive(Debug, Deserialize)]
pub(crate) struct Edges {
    pipelines: Vec<Pipeline>,
}

#[derive(Debug, Deserialize)]
struct Pipeline {
    edges: Vec<Edge>,
}

/// What passed one edge.
#[derive(Debug, Deserialize)]
pub(crate) struct Edge {
    pub(crate) edge: String,
    pub(crate) sent: u64,
    pub(crate) received: u64,
    dropped: std::collections::BTreeMap<String, u64>,
    pub(crate) length: u64,
}

impl Edge {
    /// Messages dropped, for any reason.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.values().sum()
    }
}

/// Whether the server at `at` has calls.
pub(crate) async fn health(at: &str) -> anyhow::Result<Health> {
    get(at, "/health").await
}

/// Every edge of the server at `at`.
pub(crate) async fn edges(at: &str) -> anyhow::Result<Vec<Edge>> {
    let edges: Edges = get(at, "/edges").await?;
    Ok(edges.pipelines.into_iter().flat_map(|pipeline| pipeline.edges).collect())
}

/// The status line and the body that `at` answers to `GET path`: HTTP/1.0 ends with its connection.
pub(crate) async fn ask(at: &str, path: &str) -> anyhow::Result<(String, Vec<u8>)> {
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
