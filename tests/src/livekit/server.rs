//! A running livekit-server.
//!
//! It listens on free ports of loopback, or of another address by `Setup`. The program that runs
//! the tests holds the pipe that a watcher reads: when it ends, however it ends, the watcher stops
//! the server and removes what it wrote.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tempfile::TempDir;

use super::build;
use super::token::{KEY, SECRET};
use crate::workspace;

/// How long a server may take to answer. Only a failing test waits as long.
const START_LIMIT: Duration = Duration::from_secs(30);

/// How often a server that does not answer yet is asked.
const STEP: Duration = Duration::from_millis(20);

/// How long one question may take.
const ASK_LIMIT: Duration = Duration::from_secs(1);

/// Ports that were free may be taken before the server listens; then others are tried.
const TRIES: usize = 3;

/// How many lines of its log a failure shows.
const SHOWN: usize = 60;

/// Which livekit-server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// 1.11.0: one connection for both ways, signalling at `/rtc/v1`.
    New,
    /// 1.8.4: a connection for each way, the older signalling.
    Old,
}

impl Version {
    /// Each version that is tested against.
    pub const ALL: [Self; 2] = [Self::New, Self::Old];

    /// As its release is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "1.11.0",
            Self::Old => "1.8.4",
        }
    }
}

/// How a server is started.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Which one.
    pub version: Version,
    /// The address that it listens on and offers to clients.
    pub address: Ipv4Addr,
    /// The words before the program's name: `ip netns exec NAME`. They must end in an `exec`, so
    /// that the process that is stopped is the server.
    pub under: Vec<String>,
    /// More lines for the configuration's `rtc`, each `name: value`.
    pub rtc: Vec<String>,
    /// More YAML for the configuration's end: `turn:` and its lines.
    pub more: String,
}

impl Setup {
    /// On loopback, without more.
    pub fn new(version: Version) -> Self {
        let address = Ipv4Addr::LOCALHOST;
        Self { version, address, under: Vec::new(), rtc: Vec::new(), more: String::new() }
    }
}

/// A running server. Dropping it stops it.
#[derive(Debug)]
pub struct Server {
    program: PathBuf,
    setup: Setup,
    ports: Ports,
    folder: TempDir,
    running: Mutex<Option<Running>>,
}

#[derive(Clone, Copy, Debug)]
struct Ports {
    http: u16,
    rtc_tcp: u16,
    rtc_udp: u16,
}

#[derive(Debug)]
struct Running {
    process: Child,
    watcher: Child,
}

impl Server {
    /// The server of `version` that all tests of a program share. `None`, and `suite` is noted as
    /// skipped, where Go is missing.
    pub fn shared(suite: &str, version: Version) -> Option<&'static Self> {
        static NEW: LazyLock<Option<Server>> = LazyLock::new(|| made(&Setup::new(Version::New)));
        static OLD: LazyLock<Option<Server>> = LazyLock::new(|| made(&Setup::new(Version::Old)));
        let server = match version {
            Version::New => &NEW,
            Version::Old => &OLD,
        };
        noted(suite, server.as_ref())
    }

    /// A server for one test. `None`, and `suite` is noted as skipped, where Go is missing.
    ///
    /// # Panics
    /// Where it does not start; what it says stands in the message.
    pub fn start(suite: &str, version: Version) -> Option<Self> {
        Self::start_with(suite, &Setup::new(version))
    }

    /// The same with a setup of the test's own.
    ///
    /// # Panics
    /// Where it does not start; what it says stands in the message.
    pub fn start_with(suite: &str, setup: &Setup) -> Option<Self> {
        noted(suite, made(setup))
    }

    /// Where clients connect: `ws://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("ws://{}", self.http())
    }

    /// The address of signalling and of the server's API.
    pub fn http(&self) -> SocketAddrV4 {
        SocketAddrV4::new(self.setup.address, self.ports.http)
    }

    /// The port of media over TCP.
    pub fn rtc_tcp(&self) -> u16 {
        self.ports.rtc_tcp
    }

    /// The port of media over UDP.
    pub fn rtc_udp(&self) -> u16 {
        self.ports.rtc_udp
    }

    /// Which one it is.
    pub fn version(&self) -> Version {
        self.setup.version
    }

    /// Its process; `None` while it is ended.
    pub fn id(&self) -> Option<u32> {
        self.running().as_ref().map(|running| running.process.id())
    }

    /// The last lines of its log.
    pub fn said(&self) -> String {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(SHOWN)..].join("\n")
    }

    /// Ends it at once, as a machine that is lost does for its clients.
    pub fn kill(&self) {
        if let Some(running) = self.running().take() {
            running.end();
        }
    }

    /// Starts it again after [`kill`](Self::kill), on the same ports with the same configuration,
    /// and waits until it answers.
    ///
    /// # Panics
    /// Where it does not; what it says stands in the message.
    pub fn restart(&self) {
        self.kill();
        self.run().unwrap_or_else(|said| panic!("{said}"));
    }

    /// Starts the process, and waits until it answers.
    fn run(&self) -> Result<(), String> {
        let log = File::options().create(true).append(true).open(self.folder.path().join("log"));
        let log = log.expect("target is writable");
        let words = self.setup.under.iter().map(PathBuf::from);
        let words: Vec<PathBuf> = words.chain([self.program.clone()]).collect();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).arg("--config").arg(self.folder.path().join("config.yaml"));
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("a file can be shared"));
        let process = command.stderr(log).spawn().expect("it was built");
        let watcher = watch(process.id(), &self.folder);
        *self.running() = Some(Running { process, watcher });
        self.wait()
    }

    /// A process of its own tells nothing when it listens: it is asked.
    fn wait(&self) -> Result<(), String> {
        let mut waited = Duration::ZERO;
        while !self.answers() {
            let mut running = self.running();
            let process = &mut running.as_mut().expect("it was started").process;
            if process.try_wait().expect("it is our child").is_some() || waited > START_LIMIT {
                return Err(self.said());
            }
            drop(running);
            #[expect(clippy::disallowed_methods, reason = "no call runs on this thread")]
            std::thread::sleep(STEP);
            waited += STEP;
        }
        Ok(())
    }

    fn answers(&self) -> bool {
        if !self.setup.under.is_empty() {
            return self.answers_there();
        }
        let ask = || {
            let mut stream = TcpStream::connect_timeout(&self.http().into(), ASK_LIMIT)?;
            stream.set_read_timeout(Some(ASK_LIMIT))?;
            stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
            let mut status = [0; "HTTP/1.0 200".len()];
            stream.read_exact(&mut status).map(|()| status.ends_with(b" 200"))
        };
        ask().unwrap_or(false)
    }

    /// The same, asked from where the server runs: it may be out of our reach.
    fn answers_there(&self) -> bool {
        let (address, port) = (self.setup.address, self.ports.http);
        let ask = format!(
            "exec 3<>/dev/tcp/{address}/{port} && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 \
             && head -c 12 <&3 | grep -q ' 200$'"
        );
        let mut command = Command::new(&self.setup.under[0]);
        command.args(&self.setup.under[1..]).args(["bash", "-c", &ask]).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let said = format!("livekit-server {}:\n{}\n", self.setup.version.name(), self.said());
            let _ = std::io::stderr().write_all(said.as_bytes());
        }
        self.kill();
    }
}

impl Running {
    /// The watcher ends first, so that it never kills who gets the server's id next.
    fn end(mut self) {
        for child in [&mut self.watcher, &mut self.process] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Gives the server on, or notes that `suite` was skipped for want of one.
fn noted<T>(suite: &str, server: Option<T>) -> Option<T> {
    if server.is_none() {
        workspace::skip(suite, "no Go to build livekit-server with");
    }
    server
}

/// A server that answers; `None` where Go is missing.
fn made(setup: &Setup) -> Option<Server> {
    let program = build::program(setup.version.name())?;
    let mut said = String::new();
    for _ in 0..TRIES {
        let folder = tempfile::Builder::new().prefix("run-").tempdir_in(build::folder());
        let folder = folder.expect("target is writable");
        let ports = Ports { http: tcp_port(), rtc_tcp: tcp_port(), rtc_udp: udp_port() };
        let text = configuration(setup, ports);
        fs::write(folder.path().join("config.yaml"), text).expect("target is writable");
        let (program, setup, running) = (program.clone(), setup.clone(), Mutex::default());
        let server = Server { program, setup, ports, folder, running };
        match server.run() {
            Ok(()) => return Some(server),
            Err(error) => said = error,
        }
    }
    panic!("livekit-server {} does not start:\n{said}", setup.version.name());
}

/// A STUN server at which nothing listens keeps the public ones out.
fn configuration(setup: &Setup, ports: Ports) -> String {
    let Ports { http, rtc_tcp, rtc_udp } = ports;
    let address = setup.address;
    let loopback = address.is_loopback();
    let rtc: String = setup.rtc.iter().map(|line| format!("  {line}\n")).collect();
    format!(
        "port: {http}\nbind_addresses: [\"{address}\"]\nkeys:\n  {KEY}: {SECRET}\n\
         logging:\n  level: info\n{}\nrtc:\n  node_ip: {address}\n  use_external_ip: false\n  \
         enable_loopback_candidate: {loopback}\n  tcp_port: {rtc_tcp}\n  udp_port: {rtc_udp}\n  \
         stun_servers: [\"127.0.0.1:9\"]\n{rtc}",
        setup.more
    )
}

fn tcp_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has free ports");
    listener.local_addr().expect("it is bound").port()
}

fn udp_port() -> u16 {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has free ports");
    socket.local_addr().expect("it is bound").port()
}

/// Starts who stops the process and removes its folder when this program ends.
fn watch(process: u32, folder: &TempDir) -> Child {
    let script = "read -r _; kill -KILL \"$1\"; rm -rf \"$2\"";
    let mut watcher = Command::new("/bin/sh");
    watcher.args(["-c", script, "watcher"]).arg(process.to_string()).arg(folder.path());
    watcher.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    watcher.spawn().expect("every Unix has a shell")
}
