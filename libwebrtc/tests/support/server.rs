//! A real livekit-server on loopback, built once from the Go modules in `tests/livekit-server`.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// What signs tokens, as in a test nobody guesses.
const KEY: &str = "devkey";
const SECRET: &str = "not-a-secret-but-long-enough-for-a-server";

/// How long a server may take to listen. Only a failing test waits as long.
const START_LIMIT: Duration = Duration::from_secs(30);

/// How long a token is good for.
const TOKEN_LIMIT: Duration = Duration::from_secs(3600);

/// A running server; it is stopped when dropped.
pub(crate) struct Server {
    process: Child,
    port: u16,
    log: PathBuf,
}

impl Server {
    /// A server of that version. `None`, and the suite is noted as skipped, where Go is missing.
    pub(crate) fn start(suite: &str, version: &str) -> Option<Self> {
        Self::start_with(suite, version, "")
    }

    /// A server with more lines in its configuration: first those of `rtc`, by two spaces.
    pub(crate) fn start_with(suite: &str, version: &str, lines: &str) -> Option<Self> {
        let Some(program) = built(version) else {
            note_skipped(suite, "no Go to build livekit-server with");
            return None;
        };
        let port = free_tcp_port();
        let folder = target().join("livekit-server");
        let config = folder.join(format!("{port}.yaml"));
        let log = folder.join(format!("{port}.log"));
        fs::write(&config, configuration(port) + lines).expect("target is writable");
        let output = fs::File::create(&log).expect("target is writable");
        let process = Command::new(program)
            .arg("--config")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a file can be shared"))
            .stderr(output)
            .spawn()
            .expect("it was built");
        let mut server = Self { process, port, log };
        server.wait();
        Some(server)
    }

    fn wait(&mut self) {
        const STEP: Duration = Duration::from_millis(50);
        let mut waited = Duration::ZERO;
        // A process of its own tells nothing when it listens: it is asked.
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            let ended = self.process.try_wait().expect("it is our child").is_some();
            assert!(!ended && waited < START_LIMIT, "{}", self.said());
            #[expect(clippy::disallowed_methods, reason = "no call runs on this thread")]
            std::thread::sleep(STEP);
            waited += STEP;
        }
    }

    /// What it has logged.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A token with which `identity` may join `room`.
pub(crate) fn token(room: &str, identity: &str) -> String {
    #[expect(clippy::disallowed_methods, reason = "the server reads the wall clock")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
    let expires = (now + TOKEN_LIMIT).as_secs();
    let claims = serde_json::json!({
        "iss": KEY, "sub": identity, "exp": expires,
        "video": { "room": room, "roomJoin": true, "canUpdateOwnMetadata": true },
    });
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let mut token = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let signature = hmac::sign(&key, token.as_bytes());
    write!(token, ".{}", URL_SAFE_NO_PAD.encode(signature)).expect("text can be written");
    token
}

/// Loopback only; the address of a STUN server at which nothing listens keeps the public ones out.
fn configuration(port: u16) -> String {
    let (tcp, udp) = (free_tcp_port(), free_udp_port());
    format!(
        "port: {port}\nbind_addresses: [\"127.0.0.1\"]\nkeys:\n  {KEY}: {SECRET}\n\
         logging:\n  level: info\nrtc:\n  node_ip: 127.0.0.1\n  use_external_ip: false\n  \
         enable_loopback_candidate: true\n  tcp_port: {tcp}\n  udp_port: {udp}\n  \
         stun_servers: [\"127.0.0.1:9\"]\n"
    )
}

fn free_tcp_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has free ports");
    listener.local_addr().expect("it is bound").port()
}

fn free_udp_port() -> u16 {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has free ports");
    socket.local_addr().expect("it is bound").port()
}

/// The program of that version: built in `target/livekit-server`, once.
fn built(version: &str) -> Option<PathBuf> {
    static BUILDING: Mutex<()> = Mutex::new(());
    let _one = BUILDING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let folder = target().join("livekit-server").join(version);
    let program = folder.join("livekit-server");
    if program.exists() {
        return Some(program);
    }
    Command::new("go").arg("version").output().ok()?;
    fs::create_dir_all(&folder).expect("target is writable");
    let modules = root().join("tests/livekit-server").join(version);
    for file in ["go.mod", "go.sum"] {
        fs::copy(modules.join(file), folder.join(file)).expect("the modules are in the tree");
    }
    let build = Command::new("go")
        .args(["build", "-o", "livekit-server.new"])
        .arg("github.com/livekit/livekit-server/cmd/server")
        .current_dir(&folder)
        .output()
        .expect("go was found");
    assert!(build.status.success(), "{}", String::from_utf8_lossy(&build.stderr));
    fs::rename(folder.join("livekit-server.new"), &program).expect("it was built");
    Some(program)
}

/// Says that `suite` was skipped: on the terminal, and in the file that `.ci/test` reads.
pub(crate) fn note_skipped(suite: &str, missing: &str) {
    let line = format!("skipped: {suite}: {missing}\n");
    let path = target().join("skipped-suites");
    let file = fs::OpenOptions::new().create(true).append(true).open(path);
    file.and_then(|mut file| file.write_all(line.as_bytes())).expect("target is writable");
    std::io::stderr().write_all(line.as_bytes()).expect("stderr is writable");
}

pub(crate) fn root() -> PathBuf {
    let member = Path::new(env!("CARGO_MANIFEST_DIR"));
    member.parent().expect("a member lies in the workspace's folder").to_path_buf()
}

/// `target`: the test's program lies in `target/debug/deps`.
pub(crate) fn target() -> PathBuf {
    let test = std::env::current_exe().expect("a running program has a path");
    test.ancestors().nth(3).expect("cargo puts tests into target").to_path_buf()
}
