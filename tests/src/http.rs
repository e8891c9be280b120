//! A client of the HTTP endpoints: one request, one connection.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// How long an answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// The pause between two looks at what is waited for.
const PAUSE: Duration = Duration::from_millis(20);

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The header, one field a line.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Panics
    /// Where it is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// Gets `path` from `authority`; `None` where nobody listens there.
///
/// # Panics
/// Where the answer takes too long or is none.
pub async fn try_get(authority: &str, path: &str) -> Option<Answer> {
    let asking = async {
        let mut stream = TcpStream::connect(authority).await.ok()?;
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        Some(answer)
    };
    let answer = timeout(ANSWER_LIMIT, asking).await;
    let answer = answer.unwrap_or_else(|_| panic!("{path} took longer than {ANSWER_LIMIT:?}"))?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.unwrap_or_else(|| panic!("no status in {head:?}"));
    Some(Answer { status, head: head.to_lowercase(), body: body.to_owned() })
}

/// Gets `path` from `authority`.
///
/// # Panics
/// Where there is no answer in time.
pub async fn get(authority: &str, path: &str) -> Answer {
    try_get(authority, path).await.unwrap_or_else(|| panic!("nobody answers at {authority}"))
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
    let looking = async {
        loop {
            last = get(authority, path).await.json();
            if holds(&last) {
                return;
            }
            sleep(PAUSE).await;
        }
    };
    let found = timeout(limit, looking).await;
    assert!(found.is_ok(), "{path} does not come to what was waited for: {last:#}");
    last
}
