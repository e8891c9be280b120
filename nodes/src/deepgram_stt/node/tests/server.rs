//! The provider's end of a connection: a real websocket server, whose every frame the test writes.

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{
    ErrorResponse, Request as Upgrade, Response,
};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::limited;

/// The provider's end of an open connection.
pub(super) struct Server {
    socket: WebSocketStream<DuplexStream>,
    /// The path and query of the upgrade.
    pub(super) path: String,
    /// The value of `Authorization`.
    pub(super) authorization: String,
}

/// What the node sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    Audio(Vec<u8>),
    Text(String),
    Gone,
}

impl Server {
    #[expect(clippy::result_large_err, reason = "the callback's type is the library's")]
    pub(super) async fn accept(end: DuplexStream) -> Self {
        let (mut path, mut authorization) = (String::new(), String::new());
        let note = |request: &Upgrade, response: Response| -> Result<Response, ErrorResponse> {
            path = request.uri().to_string();
            let header = request.headers().get("authorization");
            authorization = header.unwrap().to_str().unwrap().to_owned();
            Ok(response)
        };
        let accepted = limited(tokio_tungstenite::accept_hdr_async(end, note)).await;
        let socket = accepted.expect("the upgrade is valid");
        Self { socket, path, authorization }
    }

    /// What the node sends next.
    pub(super) async fn next(&mut self) -> Sent {
        match limited(self.socket.next()).await {
            Some(Ok(Message::Binary(audio))) => Sent::Audio(audio.to_vec()),
            Some(Ok(Message::Text(text))) => Sent::Text(text.to_string()),
            _ => Sent::Gone,
        }
    }

    /// The next text that the node sends, and how many bytes of audio before it.
    pub(super) async fn next_text(&mut self) -> (usize, String) {
        let mut bytes = 0;
        loop {
            match self.next().await {
                Sent::Audio(audio) => bytes += audio.len(),
                Sent::Text(text) => return (bytes, text),
                Sent::Gone => panic!("the node is gone"),
            }
        }
    }

    /// Takes `frames` frames of 20 ms.
    pub(super) async fn take_audio(&mut self, frames: usize) {
        for n in 0..frames {
            let sent = self.next().await;
            assert!(matches!(&sent, Sent::Audio(audio) if audio.len() == 640), "{n}: {sent:?}");
        }
    }

    /// Sends a text frame.
    pub(super) async fn say(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// Sends `Results` as the reference writes them: `kind` is `interim`, `final`, `speech_final`
    /// or `from_finalize`; the words share the span equally.
    pub(super) async fn results(&mut self, start: f64, end: f64, kind: &str, text: &str) {
        let count = text.split_whitespace().count();
        let each = (end - start) / count.max(1) as f64;
        let words = text.split_whitespace().zip(0..).map(|(word, n)| {
            let start = start + each * f64::from(n);
            let (end, word) = (start + each, word.to_lowercase());
            format!(r#"{{"word":"{word}","start":{start},"end":{end},"confidence":0.98}}"#)
        });
        let words = words.collect::<Vec<_>>().join(",");
        let (duration, is_final) = (end - start, kind != "interim");
        let (speech_final, asked) = (kind == "speech_final", kind == "from_finalize");
        self.say(&format!(
            r#"{{"type":"Results","channel_index":[0,1],"duration":{duration},"start":{start},
            "is_final":{is_final},"speech_final":{speech_final},"from_finalize":{asked},
            "channel":{{"alternatives":[{{"transcript":"{text}","confidence":0.99,
            "words":[{words}]}}]}},"metadata":{{"request_id":"r","model_uuid":"m"}}}}"#
        ))
        .await;
    }

    /// Sends the `Metadata` of the reference and closes with 1000.
    pub(super) async fn finish(mut self) {
        self.say(
            r#"{"type":"Metadata","transaction_key":"deprecated","request_id":"…","sha256":"…",
            "created":"2026-01-01T00:00:00.000Z","duration":12.3,"channels":1}"#,
        )
        .await;
        self.close(1000, "").await;
    }

    /// Closes in due form.
    pub(super) async fn close(mut self, code: u16, reason: &str) {
        let frame = CloseFrame { code: code.into(), reason: reason.to_owned().into() };
        // The node may be gone already, having read the frame before.
        let _ = self.socket.close(Some(frame)).await;
    }
}

/// Answers an upgrade with a refusal, as the reference writes it.
pub(super) async fn refuse(mut end: DuplexStream, status: &str, headers: &str, body: &str) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(limited(end.read_u8()).await.unwrap());
    }
    let length = body.len();
    let response = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n{body}");
    end.write_all(response.as_bytes()).await.unwrap();
}
