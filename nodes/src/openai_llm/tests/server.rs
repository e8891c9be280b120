//! The server's end of connections, byte by byte.

use std::io;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::mpsc;
use voicegraph_engine::connect::{Dial, Io};

/// How an answer begins.
pub(super) const STREAM: &str = "HTTP/1.1 200 OK\r\n\
    Content-Type: text/event-stream; charset=utf-8\r\n\
    x-request-id: req_1\r\n\
    Transfer-Encoding: chunked\r\n\r\n";

/// The first chunk of a text answer, after the reference.
pub(super) const ROLE: &str = concat!(
    r#"data: {"id":"chatcmpl-abc","object":"chat.completion.chunk","created":1760000000,"#,
    r#""model":"gpt-4.1-mini-2025-04-14","service_tier":"default","system_fingerprint":"fp_1","#,
    r#""choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"#,
    r#""logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"x9Q"}"#,
    "\n\n"
);

/// The chunk that ends a text answer.
pub(super) const STOP: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{},\
    \"finish_reason\":\"stop\"}],\"usage\":null}\n\n";

/// The chunk that ends an answer with tool calls.
pub(super) const TOOL_CALLS: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{},\
    \"finish_reason\":\"tool_calls\"}],\"usage\":null}\n\n";

/// The usage chunk and the end of the stream.
pub(super) const USAGE: &str = "data: {\"id\":\"…\",\"choices\":[],\"usage\":{\"prompt_tokens\":21,\
    \"completion_tokens\":9,\"total_tokens\":30}}\n\ndata: [DONE]\n\n";

/// A piece of text.
pub(super) fn text(content: &str) -> String {
    let delta = json!({ "content": content });
    let choice = json!({ "index": 0, "delta": delta, "logprobs": null, "finish_reason": null });
    format!("data: {}\n\n", json!({ "id": "chatcmpl-abc", "choices": [choice], "usage": null }))
}

/// A whole tool call in one fragment.
pub(super) fn call(index: u32, id: &str, name: &str, arguments: &str) -> String {
    let function = json!({ "name": name, "arguments": arguments });
    let call = json!({ "index": index, "id": id, "type": "function", "function": function });
    format!(
        "data: {}\n\n",
        json!({ "choices": [{ "index": 0, "delta": { "tool_calls": [call] } }] })
    )
}

/// Hands the server's end of each connection to the test.
pub(super) struct Dialled(pub(super) mpsc::Sender<DuplexStream>);

#[async_trait]
impl Dial for Dialled {
    async fn dial(&self) -> io::Result<Box<dyn Io>> {
        let (near, far) = tokio::io::duplex(64 << 10);
        self.0.try_send(far).map_err(|_| io::ErrorKind::ConnectionRefused)?;
        Ok(Box::new(near))
    }
}

/// The server's end of one connection.
pub(super) struct Server(pub(super) DuplexStream);

/// A request as it came.
pub(super) struct Request {
    /// The request line and the headers.
    pub(super) head: String,
    /// The body.
    pub(super) body: Value,
}

impl Request {
    /// The messages as `role: content`, tool calls as `[names]`, the prompt left out.
    pub(super) fn messages(&self) -> Vec<String> {
        let messages = self.body["messages"].as_array().expect("messages");
        assert_eq!(messages[0]["role"], "system");
        messages[1..].iter().map(line).collect()
    }
}

fn line(message: &Value) -> String {
    let role = message["role"].as_str().expect("a role");
    let content = message["content"].as_str().unwrap_or("-");
    let calls = message["tool_calls"].as_array().into_iter().flatten();
    let names: Vec<&str> = calls.filter_map(|call| call["function"]["name"].as_str()).collect();
    let names = if names.is_empty() { String::new() } else { format!(" [{}]", names.join(", ")) };
    format!("{role}: {content}{names}")
}

impl Server {
    /// Reads the next request.
    pub(super) async fn request(&mut self) -> Request {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            bytes.push(self.0.read_u8().await.expect("a request"));
        }
        let head = String::from_utf8(bytes).expect("a head is text");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length = length.expect("a length").parse().expect("a number");
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.expect("a body");
        Request { head, body: serde_json::from_slice(&body).expect("JSON") }
    }

    /// Reads the next request and begins a stream as its answer.
    pub(super) async fn accept(&mut self) -> Request {
        let request = self.request().await;
        self.raw(STREAM).await;
        request
    }

    /// Writes bytes as they are.
    pub(super) async fn raw(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.expect("an open pipe");
    }

    /// Writes one chunk of a stream.
    pub(super) async fn chunk(&mut self, text: &str) {
        self.raw(&format!("{:x}\r\n{text}\r\n", text.len())).await;
    }

    /// Writes a stream to its end.
    pub(super) async fn finish(&mut self, events: &[&str]) {
        for event in events {
            self.chunk(event).await;
        }
        self.raw("0\r\n\r\n").await;
    }

    /// Answers the next request with this text.
    pub(super) async fn say(&mut self, content: &str) -> Request {
        let request = self.accept().await;
        self.finish(&[ROLE, &text(content), STOP, USAGE]).await;
        request
    }

    /// Refuses the next request.
    pub(super) async fn refuse(&mut self, status: &str, headers: &str, error: &Value) {
        self.request().await;
        let body = json!({ "error": error }).to_string();
        let head = format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{headers}");
        self.raw(&format!("{head}Content-Length: {}\r\n\r\n{body}", body.len())).await;
    }

    /// Waits until the node has closed the connection.
    pub(super) async fn closed(&mut self) {
        let mut rest = Vec::new();
        // A broken pipe is as closed as an end.
        let _ = self.0.read_to_end(&mut rest).await;
        assert!(rest.is_empty(), "the node sent {:?}", String::from_utf8_lossy(&rest));
    }
}
