//! A server that follows the test's script, over a real socket. It keeps to the wire of
//! `livekit-agent-worker` as the test wants it to, which a real server could not be brought to.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};

use futures_util::{SinkExt, StreamExt};
use livekit_protocol as proto;
use prost::Message as _;
use proto::server_message::Message as FromServer;
use proto::worker_message::Message as ToServer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

use voicegraph_engine::connect::Io;

use crate::livekit::within;

/// Where workers connect.
pub struct Fake {
    listener: TcpListener,
    url: String,
    tls: Option<Tls>,
}

/// A certificate for `localhost` that nobody but the test trusts.
struct Tls {
    certificate: CertificateDer<'static>,
    acceptor: TlsAcceptor,
}

/// A connection, plain or encrypted.
type Stream = Box<dyn Io>;

/// A worker's connection.
pub struct Visit {
    /// The path and query that it asked for.
    pub path: String,
    /// Its header `Authorization`.
    pub authorization: String,
    socket: WebSocketStream<Stream>,
    /// What came and was not looked for yet.
    kept: VecDeque<ToServer>,
}

impl Fake {
    /// A server on a free port of loopback.
    ///
    /// # Panics
    /// Where there is none.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("loopback has free ports");
        let address = listener.local_addr().expect("it is bound");
        Self { listener, url: format!("ws://{address}"), tls: None }
    }

    /// The same over TLS, with the certificate that workers must trust.
    ///
    /// # Panics
    /// Where it cannot be made.
    pub async fn start_tls() -> (Self, CertificateDer<'static>) {
        let plain = Self::start().await;
        let port = plain.listener.local_addr().expect("it is bound").port();
        let tls = Tls::new();
        let certificate = tls.certificate.clone();
        (Self { url: format!("wss://localhost:{port}"), tls: Some(tls), ..plain }, certificate)
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Lets the next worker in, and reads its registration.
    ///
    /// # Panics
    /// Where none comes, or it does not begin with its registration.
    pub async fn meet(&self) -> (Visit, proto::RegisterWorkerRequest) {
        let mut visit = self.accept().await;
        match visit.next().await {
            ToServer::Register(request) => (visit, request),
            other => panic!("a worker registers first, and not {other:?}"),
        }
    }

    /// Lets the next worker in and registers it as `worker_id`.
    ///
    /// # Panics
    /// Where none comes, or it does not begin with its registration.
    pub async fn register(&self, worker_id: &str) -> Visit {
        let (mut visit, _) = self.meet().await;
        let worker_id = worker_id.to_owned();
        let answer = proto::RegisterWorkerResponse { worker_id, ..Default::default() };
        visit.send(FromServer::Register(answer)).await;
        visit
    }

    /// Lets the next worker in.
    ///
    /// # Panics
    /// Where none comes.
    pub async fn accept(&self) -> Visit {
        within("a worker", async {
            let stream = self.stream().await.expect("a worker encrypts as it should");
            let seen = Arc::new(Mutex::new((String::new(), String::new())));
            let look = Arc::clone(&seen);
            #[expect(clippy::result_large_err, reason = "the callback's signature is the crate's")]
            let look = move |request: &Request, response: Response| {
                let authorization = request.headers().get("authorization");
                let authorization = authorization.and_then(|value| value.to_str().ok());
                let path = request.uri().to_string();
                *look.lock().expect("no panic holds this lock") =
                    (path, authorization.unwrap_or_default().to_owned());
                Ok::<_, ErrorResponse>(response)
            };
            let socket = tokio_tungstenite::accept_hdr_async(stream, look).await;
            let socket = socket.expect("a worker upgrades");
            let (path, authorization) = seen.lock().expect("no panic holds this lock").clone();
            Visit { path, authorization, socket, kept: VecDeque::new() }
        })
        .await
    }

    /// Refuses who does not trust the certificate: waits for one that gives up.
    ///
    /// # Panics
    /// Where none comes, or it trusts the certificate.
    pub async fn distrusted(&self) {
        let tried = within("a worker", self.stream()).await;
        assert!(tried.is_err(), "it must not trust this certificate");
    }

    async fn stream(&self) -> io::Result<Stream> {
        let (stream, _) = self.listener.accept().await.expect("it listens");
        match &self.tls {
            Some(tls) => Ok(Box::new(tls.acceptor.accept(stream).await?)),
            None => Ok(Box::new(stream)),
        }
    }

    /// Answers the next request with `answer`, written as it goes over the wire.
    ///
    /// # Panics
    /// Where none comes.
    pub async fn refuse(&self, answer: &str) {
        within("a worker", async {
            let (mut stream, _) = self.listener.accept().await.expect("it listens");
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.expect("a worker sends a whole request"));
            }
            stream.write_all(answer.as_bytes()).await.expect("it reads");
            stream.shutdown().await.expect("it reads");
        })
        .await;
    }
}

impl Tls {
    fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]);
        let made = made.expect("the name is one");
        let certificate = made.cert.der().clone();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring supports the default versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key.expect("rcgen writes keys"))
            .expect("key and certificate fit");
        Self { certificate, acceptor: TlsAcceptor::from(Arc::new(config)) }
    }
}

impl Visit {
    /// The next message.
    ///
    /// # Panics
    /// Where none comes, or something else.
    pub async fn next(&mut self) -> ToServer {
        let next = within("a message", self.try_next()).await;
        next.expect("the worker stays")
    }

    /// The next message; `None` where the worker leaves.
    ///
    /// # Panics
    /// Where what comes is no message.
    pub async fn try_next(&mut self) -> Option<ToServer> {
        loop {
            match self.socket.next().await? {
                Ok(Message::Binary(bytes)) => {
                    let message = proto::WorkerMessage::decode(bytes).expect("it is a message");
                    return Some(message.message.expect("it is a known one"));
                }
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(Message::Ping(_) | Message::Pong(_)) => {}
                Ok(other) => panic!("a worker sends binary frames, and not {other:?}"),
            }
        }
    }

    /// The first message that `pick` takes; the others stay for later.
    ///
    /// # Panics
    /// Where it does not come: the message says `what` was waited for.
    pub async fn find<T>(&mut self, what: &str, pick: impl Fn(&ToServer) -> Option<T>) -> T {
        let kept = self.kept.iter().enumerate();
        if let Some((at, picked)) = kept.filter_map(|(at, it)| Some((at, pick(it)?))).next() {
            self.kept.remove(at);
            return picked;
        }
        within(what, async {
            loop {
                let message = self.try_next().await;
                let message = message.unwrap_or_else(|| panic!("the worker left before {what}"));
                match pick(&message) {
                    Some(picked) => return picked,
                    None => self.kept.push_back(message),
                }
            }
        })
        .await
    }

    /// The answer to the offer of `job`.
    ///
    /// # Panics
    /// Where none comes.
    pub async fn answer(&mut self, job: &str) -> proto::AvailabilityResponse {
        self.find("an answer", |message| match message {
            ToServer::Availability(answer) if answer.job_id == job => Some(answer.clone()),
            _ => None,
        })
        .await
    }

    /// The next report of a job: its id, status and error.
    ///
    /// # Panics
    /// Where none comes.
    pub async fn report(&mut self) -> (String, proto::JobStatus, String) {
        self.find("a report", |message| match message {
            ToServer::UpdateJob(update) => {
                let status = update.status();
                Some((update.job_id.clone(), status, update.error.clone()))
            }
            _ => None,
        })
        .await
    }

    /// The next status report of the worker that `holds`.
    ///
    /// # Panics
    /// Where none comes.
    pub async fn status(&mut self, status: proto::WorkerStatus) -> proto::UpdateWorkerStatus {
        self.find("a status", |message| match message {
            ToServer::UpdateWorker(update) if update.status() == status => Some(*update),
            _ => None,
        })
        .await
    }

    /// Asks whether the worker takes `job`.
    pub async fn ask(&mut self, job: &str) {
        let job = Some(proto::Job { id: job.to_owned(), ..Default::default() });
        let request = proto::AvailabilityRequest { job, resuming: false };
        self.send(FromServer::Availability(request)).await;
    }

    /// Assigns `job`.
    pub async fn assign(&mut self, job: &str) {
        let job = Some(proto::Job { id: job.to_owned(), ..Default::default() });
        let token = "the room's token".to_owned();
        self.send(FromServer::Assignment(proto::JobAssignment { job, url: None, token })).await;
    }

    /// Asks for `job` and assigns it.
    ///
    /// # Panics
    /// Where the worker does not take it.
    pub async fn give(&mut self, job: &str) {
        self.ask(job).await;
        assert!(self.answer(job).await.available, "{job} is taken");
        self.assign(job).await;
    }

    /// Ends `job`.
    pub async fn terminate(&mut self, job: &str) {
        let job_id = job.to_owned();
        self.send(FromServer::Termination(proto::JobTermination { job_id })).await;
    }

    /// Sends a message.
    pub async fn send(&mut self, message: FromServer) {
        let message = proto::ServerMessage { message: Some(message) };
        self.send_raw(Message::Binary(message.encode_to_vec().into())).await;
    }

    /// Sends a frame, whatever it holds.
    ///
    /// # Panics
    /// Where the worker is gone.
    pub async fn send_raw(&mut self, frame: Message) {
        within("sending", self.socket.send(frame)).await.expect("the worker is there");
    }

    /// Sends a frame that the worker need not read to its end: it may leave meanwhile.
    pub async fn send_in_vain(&mut self, frame: Message) {
        let _ = within("sending", self.socket.send(frame)).await;
    }

    /// The next frame as it comes.
    ///
    /// # Panics
    /// Where none comes.
    pub async fn raw(&mut self) -> Message {
        let frame = within("a frame", self.socket.next()).await;
        frame.expect("the worker stays").expect("the connection holds")
    }

    /// Waits until the worker has left.
    ///
    /// # Panics
    /// Where it does not.
    pub async fn left(mut self) {
        within("the worker's leaving", async { while self.try_next().await.is_some() {} }).await;
    }
}
