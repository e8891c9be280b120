//! A client of the simulators for tests: plain websockets and plain HTTP, and nothing that knows a
//! provider.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};
use voicegraph_simulators::{Files, Script, Simulators};

/// No test waits longer for a message.
const LIMIT: Duration = Duration::from_secs(900);

/// A script without WAV files.
pub(crate) struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &str) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }
}

/// Simulators with this script.
pub(crate) fn simulators(script: &str) -> Simulators {
    Simulators::new(Script::from_toml(script, &NoFiles).unwrap())
}

/// A connection to `simulators`, served in a task of its own.
pub(crate) fn pipe(simulators: &Simulators) -> DuplexStream {
    let (near, far) = duplex(1 << 16);
    let simulators = simulators.clone();
    tokio::spawn(async move { simulators.serve(far).await });
    near
}

/// An open websocket and when it was opened.
pub(crate) struct Socket {
    inner: WebSocketStream<DuplexStream>,
    opened: Instant,
    /// What came while the caller was speaking.
    early: VecDeque<(u64, Got)>,
}

/// What a websocket gave.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Got {
    Json(Value),
    Garbage(String),
    Closed(u16, String),
    Cut,
}

impl Socket {
    /// Opens `path` with `headers`; an HTTP answer other than 101 is the error.
    pub(crate) async fn open(
        simulators: &Simulators,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, Box<Error>> {
        let mut request = format!("ws://simulator{path}").into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let (inner, _) = client_async(request, pipe(simulators)).await?;
        Ok(Self { inner, opened: Instant::now(), early: VecDeque::new() })
    }

    pub(crate) async fn text(&mut self, text: impl Into<String>) {
        self.inner.send(Message::text(text.into())).await.unwrap();
    }

    pub(crate) async fn json(&mut self, value: Value) {
        self.text(value.to_string()).await;
    }

    pub(crate) async fn binary(&mut self, bytes: Vec<u8>) {
        self.inner.send(Message::binary(bytes)).await.unwrap();
    }

    /// Sends 16 kHz samples in frames of 20 ms, each when its last sample would have been spoken.
    pub(crate) async fn speak(&mut self, samples: &[i16]) {
        let begin = Instant::now();
        for (index, frame) in samples.chunks(320).enumerate() {
            self.listen_until(begin + Duration::from_millis(20) * (index as u32 + 1)).await;
            self.binary(frame.iter().flat_map(|sample| sample.to_le_bytes()).collect()).await;
        }
    }

    /// Keeps what comes until `end`.
    async fn listen_until(&mut self, end: Instant) {
        while let Ok(got) = timeout_at(end, self.receive()).await {
            self.early.push_back(got);
        }
    }

    /// The next message and the milliseconds since the socket was opened.
    pub(crate) async fn next(&mut self) -> (u64, Got) {
        match self.early.pop_front() {
            Some(got) => got,
            None => timeout(LIMIT, self.receive()).await.expect("nothing came"),
        }
    }

    async fn receive(&mut self) -> (u64, Got) {
        let message = self.inner.next().await;
        let got = match message {
            Some(Ok(Message::Text(text))) => match serde_json::from_str(&text) {
                Ok(value) => Got::Json(value),
                Err(_) => Got::Garbage(text.to_string()),
            },
            Some(Ok(Message::Close(Some(frame)))) => {
                Got::Closed(frame.code.into(), frame.reason.to_string())
            }
            Some(Ok(other)) => panic!("unexpected {other:?}"),
            Some(Err(_)) | None => Got::Cut,
        };
        (self.now_ms(), got)
    }

    /// The next message, which must be JSON.
    pub(crate) async fn next_json(&mut self) -> (u64, Value) {
        match self.next().await {
            (at, Got::Json(value)) => (at, value),
            other => panic!("expected JSON, got {other:?}"),
        }
    }

    /// All messages until the socket ends; the last is the end.
    pub(crate) async fn rest(&mut self) -> Vec<(u64, Got)> {
        let mut all = Vec::new();
        loop {
            let got = self.next().await;
            let is_end = matches!(got.1, Got::Closed(..) | Got::Cut);
            all.push(got);
            if is_end {
                return all;
            }
        }
    }

    /// Whether nothing comes for `time`.
    pub(crate) async fn is_silent_for(&mut self, time: Duration) -> bool {
        self.early.is_empty() && timeout(time, self.receive()).await.is_err()
    }

    pub(crate) fn now_ms(&self) -> u64 {
        (Instant::now() - self.opened).as_millis() as u64
    }
}

/// The status and body of a refused websocket.
pub(crate) fn refusal(result: Result<Socket, Box<Error>>) -> (u16, String) {
    match result.map(|_| ()).map_err(|error| *error) {
        Err(Error::Http(response)) => {
            let body = response.body().clone().unwrap_or_default();
            (response.status().as_u16(), String::from_utf8(body).unwrap())
        }
        other => panic!("expected a refusal, got {other:?}"),
    }
}

/// An HTTP answer, with the milliseconds at which each piece of its body came.
pub(crate) struct Http {
    pub(crate) head: String,
    pub(crate) pieces: Vec<(u64, Vec<u8>)>,
    /// Whether the answer ended as it should.
    pub(crate) is_whole: bool,
}

impl Http {
    /// Sends one request on a new connection and reads the answer to its end.
    pub(crate) async fn send(simulators: &Simulators, request: &str) -> Self {
        let mut io = pipe(simulators);
        let begin = Instant::now();
        io.write_all(request.as_bytes()).await.unwrap();
        let (mut received, mut buffer) = (Vec::new(), vec![0; 1 << 16]);
        loop {
            let read = timeout(LIMIT, io.read(&mut buffer)).await.expect("nothing came");
            let count = read.unwrap_or(0);
            if count == 0 {
                break;
            }
            let at = (Instant::now() - begin).as_millis() as u64;
            received.push((at, buffer[..count].to_vec()));
        }
        Self::parse(received)
    }

    /// Splits head and body, and undoes the chunks, keeping the times.
    fn parse(received: Vec<(u64, Vec<u8>)>) -> Self {
        let all: Vec<(u64, u8)> = received
            .into_iter()
            .flat_map(|(at, bytes)| bytes.into_iter().map(move |byte| (at, byte)))
            .collect();
        let bytes: Vec<u8> = all.iter().map(|(_, byte)| *byte).collect();
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").map_or(0, |at| at + 4);
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap().to_lowercase();
        let mut answer = Self { head, pieces: Vec::new(), is_whole: false };
        if answer.head.contains("transfer-encoding: chunked") {
            answer.chunks(&all[end..]);
        } else if let Some((at, _)) = all.get(end) {
            answer.pieces.push((*at, bytes[end..].to_vec()));
            answer.is_whole = true;
        }
        answer
    }

    fn chunks(&mut self, mut body: &[(u64, u8)]) {
        while let Some(line) = body.windows(2).position(|two| (two[0].1, two[1].1) == (13, 10)) {
            let digits: String = body[..line].iter().map(|(_, byte)| *byte as char).collect();
            let length = usize::from_str_radix(&digits, 16).unwrap();
            if length == 0 {
                self.is_whole = true;
                return;
            }
            let data = &body[line + 2..line + 2 + length];
            self.pieces.push((data[0].0, data.iter().map(|(_, byte)| *byte).collect()));
            body = &body[line + 4 + length..];
        }
    }

    pub(crate) fn status(&self) -> u16 {
        self.head.split(' ').nth(1).map_or(0, |status| status.parse().unwrap())
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        self.pieces.iter().flat_map(|(_, bytes)| bytes.clone()).collect()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body()).unwrap()
    }

    /// The `data:` of each event; JSON where it is JSON, a string where not.
    pub(crate) fn events(&self) -> Vec<(u64, Value)> {
        let events = self.pieces.iter().flat_map(|(at, bytes)| {
            let text = String::from_utf8_lossy(bytes).into_owned();
            let lines: Vec<_> = text.lines().map(str::to_owned).collect();
            lines.into_iter().map(|line| (*at, line))
        });
        let data = events.filter_map(|(at, line)| {
            let data = line.strip_prefix("data: ")?.to_owned();
            Some((at, serde_json::from_str(&data).unwrap_or(Value::String(data))))
        });
        data.collect()
    }
}

/// A POST of `body` with a key.
pub(crate) fn post(path: &str, headers: &str, body: &Value) -> String {
    let body = body.to_string();
    format!(
        "POST {path} HTTP/1.1\r\nHost: simulator\r\nConnection: close\r\n\
         Authorization: Bearer key\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// `ms` of a 200 Hz square wave at 16 kHz, which is speech to an ear that listens for energy.
pub(crate) fn loud(ms: usize) -> Vec<i16> {
    (0..ms * 16).map(|index| if index / 40 % 2 == 0 { 6_000 } else { -6_000 }).collect()
}

/// `ms` of silence at 16 kHz.
pub(crate) fn silence(ms: usize) -> Vec<i16> {
    vec![0; ms * 16]
}
