//! The same simulators on TCP, and their log.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::client::{Http, Socket, post, simulators};

/// A sink that a test can read.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        Write::write(&mut *self.0.lock().unwrap(), bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn read(&self) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[tokio::test]
async fn tcp_is_served_until_stopped() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let server = tokio::spawn({
        let (simulators, stop) =
            (simulators("[openai]\nfirst_token_ms = 0\ntoken_ms = 0"), stop.clone());
        async move { simulators.listen(listener, stop).await }
    });
    let body = json!({ "model": "m", "messages": [{ "role": "user", "content": "hi" }] });
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(post("/v1/chat/completions", "", &body).as_bytes()).await.unwrap();
    let mut answer = String::new();
    let limit = Duration::from_secs(10);
    timeout(limit, socket.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("did not understand"),
        "{answer}"
    );
    let mut open = TcpStream::connect(address).await.unwrap();
    open.write_all(b"GET /").await.unwrap();
    stop.cancel();
    timeout(limit, server).await.unwrap().unwrap();
    assert_eq!(open.read(&mut [0; 1]).await.unwrap_or(0), 0, "open connections are dropped");
}

#[tokio::test(start_paused = true)]
async fn the_log_has_times_and_kinds_but_no_secrets() {
    let lines = Lines::default();
    let simulators = simulators("").with_log(lines.clone());
    let path = "/v1/listen?model=nova-3&encoding=linear16&sample_rate=16000&tag=call-7";
    let key = ("authorization", "Token s3cret");
    let mut socket = Socket::open(&simulators, path, &[key]).await.unwrap();
    socket.speak(&[0; 640]).await;
    socket.text(r#"{"type":"CloseStream"}"#).await;
    socket.rest().await;
    let body = json!({ "model": "m", "messages": [{ "role": "user", "content": "s3cret" }] });
    Http::send(&simulators, &post("/v1/chat/completions", "", &body)).await;
    let log = lines.read();
    let line = |at_us, id: &str, direction, what, bytes| {
        let mut line = json!({ "at_us": at_us, "provider": "deepgram", "connection": 1,
            "direction": direction, "what": what, "bytes": bytes });
        if !id.is_empty() {
            line["id"] = json!(id);
        }
        line
    };
    assert_eq!(
        log[..4],
        [
            line(0, "", "in", "open", 0),
            line(20_000, "call-7", "in", "audio", 640),
            line(40_000, "call-7", "in", "audio", 640),
            line(40_000, "call-7", "in", "CloseStream", 22),
        ]
    );
    assert!(log.iter().any(|line| line["what"] == "request" && line["provider"] == "openai"));
    assert!(!serde_json::to_string(&log).unwrap().contains("s3cret"));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_a_stream_is_seen() {
    let lines = Lines::default();
    let simulators = simulators("").with_log(lines.clone());
    let body = json!({ "model": "m", "stream": true,
        "messages": [{ "role": "user", "content": "hi" }] });
    let (mut io, far) = duplex(1 << 16);
    let server = tokio::spawn(async move { simulators.serve(far).await });
    io.write_all(post("/v1/chat/completions", "", &body).as_bytes()).await.unwrap();
    let mut buffer = [0; 4_096];
    while !String::from_utf8_lossy(&buffer).contains("I") {
        assert_ne!(io.read(&mut buffer).await.unwrap(), 0);
    }
    drop(io);
    timeout(Duration::from_secs(1), server).await.unwrap().unwrap();
    assert_eq!(lines.read().last().unwrap()["what"], "cancel");
}
