//! A client of HTTP: one request, one connection. It speaks HTTP/1.0, whose answers come in one
//! piece and end with their connection.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::poll::poll;

/// How long an answer may take: two hundred at once, on two processors.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The header, one field a line, in small letters.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Answer {
    /// Reads all that came over a connection; `None` where that is no answer to its end.
    ///
    /// # Panics
    /// Where it begins otherwise than HTTP does.
    pub fn parse(text: &str) -> Option<Self> {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status in {head:?}"));
        Some(Self { status, head: head.to_lowercase(), body: body.to_owned() })
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// Where it is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// Gets `path` from `authority`; `None` where nobody answers there.
///
/// # Panics
/// Where the answer takes too long or is none.
pub async fn try_get(authority: &str, path: &str) -> Option<Answer> {
    ask(authority, &format!("GET {path} HTTP/1.0\r\nhost: {authority}\r\n\r\n")).await
}

/// Gets `path` from `authority`.
///
/// # Panics
/// Where there is no answer in time.
pub async fn get(authority: &str, path: &str) -> Answer {
    try_get(authority, path).await.unwrap_or_else(|| panic!("nobody answers at {authority}"))
}

/// Posts `body` to `path` at `authority` with a bearer's token.
///
/// # Panics
/// Where there is no answer in time.
pub async fn post(authority: &str, path: &str, token: &str, body: &Value) -> Answer {
    let body = body.to_string();
    let request = format!(
        "POST {path} HTTP/1.0\r\nhost: {authority}\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    ask(authority, &request).await.unwrap_or_else(|| panic!("nobody answers at {authority}"))
}

async fn ask(authority: &str, request: &str) -> Option<Answer> {
    let asking = async {
        let mut stream = TcpStream::connect(authority).await.ok()?;
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        Some(answer)
    };
    let late = |_| {
        let asked = request.lines().next().unwrap_or_default();
        panic!("{asked} at {authority} took longer than {ANSWER_LIMIT:?}")
    };
    let answer = timeout(ANSWER_LIMIT, asking).await.unwrap_or_else(late)?;
    Answer::parse(&answer)
}

/// Gets `path` again and again until `holds` of its JSON, and gives that.
///
/// # Panics
/// Where it does not within `limit`.
pub async fn until(
    authority: &str,
    path: &str,
    limit: Duration,
    holds: impl Fn(&Value) -> bool,
) -> Value {
    let mut last = Value::Null;
    let found = poll(limit, async || {
        last = get(authority, path).await.json();
        holds(&last).then_some(())
    });
    let found = found.await;
    assert!(found.is_some(), "{path} does not come to what was waited for: {last:#}");
    last
}
