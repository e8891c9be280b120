//! A livekit-server of the playground's own: on free ports of the loopback, with keys that only
//! this process knows, for as long as it is wanted.

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};
use voicegraph_engine::secret::Secret;

use super::random;
use super::token::Keys;

/// How long a server may take until it answers.
const START_LIMIT: Duration = Duration::from_secs(20);

/// How often one that does not answer yet is asked.
const STEP: Duration = Duration::from_millis(50);

/// How long one question may take.
const ASK_LIMIT: Duration = Duration::from_secs(1);

/// Ports that were free may be taken before the server listens; then others are tried.
const TRIES: usize = 3;

/// How many lines of its log an error shows.
const SHOWN_LINES: usize = 10;

/// Why no server runs.
#[derive(Debug, thiserror::Error)]
pub enum LocalServerError {
    /// There is no such program.
    #[error(
        "{} cannot be started: {source}; install livekit-server \
         (https://docs.livekit.io/transport/self-hosting/local), or name one that runs elsewhere",
        program.display()
    )]
    Program {
        /// What was started.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It ended, or never answered.
    #[error("livekit-server {what}; it said:\n{said}")]
    Failed {
        /// What it did.
        what: String,
        /// The end of its log.
        said: String,
    },
    /// The system refused what a server needs: a port, a file.
    #[error("livekit-server has no place here: {0}")]
    Place(#[from] io::Error),
}

/// A running server. Dropping it stops it.
#[derive(Debug)]
pub struct LocalServer {
    process: Child,
    folder: TempDir,
    port: u16,
    keys: Keys,
}

impl LocalServer {
    /// Starts `program`, and waits until it answers.
    ///
    /// # Errors
    /// [`LocalServerError`]: it is not there, or does not come up.
    pub async fn start(program: &Path) -> Result<Self, LocalServerError> {
        let mut tries = 1;
        loop {
            match Self::try_start(program).await {
                Err(LocalServerError::Failed { .. }) if tries < TRIES => tries += 1,
                done => return done,
            }
        }
    }

    /// Where clients connect: `ws://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.port)
    }

    /// What signs its tokens.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Waits until the server ends by itself, which it should not.
    ///
    /// # Errors
    /// As waiting for a process fails.
    pub async fn ended(&mut self) -> io::Result<ExitStatus> {
        self.process.wait().await
    }

    async fn try_start(program: &Path) -> Result<Self, LocalServerError> {
        let folder = tempfile::tempdir()?;
        let log = File::create(folder.path().join("log"))?;
        let keys = Keys { key: "playground".to_owned(), secret: Secret::new(random::hex(4)) };
        let port = tcp_port()?;
        let mut command = Command::new(program);
        // By its environment: what stands on a command line, everybody on the machine can read.
        command.env("LIVEKIT_CONFIG", configuration(port, tcp_port()?, udp_port()?, &keys));
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).kill_on_drop(true);
        let wrong = |source| LocalServerError::Program { program: program.to_owned(), source };
        let process = command.spawn().map_err(wrong)?;
        let mut server = Self { process, folder, port, keys };
        server.wait().await?;
        Ok(server)
    }

    async fn wait(&mut self) -> Result<(), LocalServerError> {
        let answering = async {
            while !answers(self.port).await {
                if let Some(status) = self.process.try_wait()? {
                    return Ok(Some(status));
                }
                sleep(STEP).await;
            }
            io::Result::Ok(None)
        };
        let what = match timeout(START_LIMIT, answering).await {
            Ok(Ok(None)) => return Ok(()),
            Ok(Ok(Some(status))) => format!("ended with {status}"),
            Ok(Err(error)) => return Err(error.into()),
            Err(_) => format!("did not answer within {START_LIMIT:?}"),
        };
        Err(LocalServerError::Failed { what, said: self.said() })
    }

    /// The last lines of its log.
    fn said(&self) -> String {
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n")
    }
}

/// A STUN server at which nothing listens keeps the public ones out: nothing leaves the machine.
fn configuration(http: u16, rtc_tcp: u16, rtc_udp: u16, keys: &Keys) -> String {
    let (key, secret) = (&keys.key, keys.secret.expose());
    format!(
        "port: {http}\nbind_addresses: [\"127.0.0.1\"]\nkeys:\n  {key}: {secret}\n\
         logging:\n  level: warn\nrtc:\n  node_ip: 127.0.0.1\n  use_external_ip: false\n  \
         enable_loopback_candidate: true\n  tcp_port: {rtc_tcp}\n  udp_port: {rtc_udp}\n  \
         stun_servers: [\"127.0.0.1:9\"]\n"
    )
}

async fn answers(port: u16) -> bool {
    let asking = async {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await?;
        let mut status = [0; "HTTP/1.0 200".len()];
        stream.read_exact(&mut status).await?;
        io::Result::Ok(status.ends_with(b" 200"))
    };
    matches!(timeout(ASK_LIMIT, asking).await, Ok(Ok(true)))
}

fn tcp_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn udp_port() -> io::Result<u16> {
    Ok(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
