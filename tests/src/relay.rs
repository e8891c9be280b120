//! A real TURN server on loopback, built once from `tests/turn-server` (pion's).

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::LazyLock;

use tempfile::TempDir;

use crate::workspace;

/// Who may use it.
pub const USERNAME: &str = "ada";
/// By which password.
pub const PASSWORD: &str = "not-a-secret";

/// How it is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Datagrams.
    Udp,
    /// A stream.
    Tcp,
    /// A stream inside of TLS.
    Tls,
}

impl Protocol {
    /// As livekit-server's configuration calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }
}

/// A running relay. It ends with its input, and with that when it is dropped or the tests end.
#[derive(Debug)]
pub struct Relay {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    ports: [u16; 3],
}

impl Relay {
    /// A relay for one test. `None`, and `suite` is noted as skipped, where Go is missing.
    ///
    /// # Panics
    /// Where it does not start.
    pub fn start(suite: &str) -> Option<Self> {
        static PROGRAM: LazyLock<Option<PathBuf>> = LazyLock::new(built);
        static CERTIFICATE: LazyLock<TempDir> = LazyLock::new(certificate);
        let Some(program) = &*PROGRAM else {
            workspace::skip(suite, "no Go to build turn-server with");
            return None;
        };
        let folder = CERTIFICATE.path();
        let mut process = Command::new(program)
            .args([folder.join("certificate.pem"), folder.join("key.pem")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it was built");
        let input = process.stdin.take().expect("it is piped");
        let output = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut relay = Self { process, input, output, ports: [0; 3] };
        let told: Vec<u16> = relay.line().split(' ').filter_map(|it| it.parse().ok()).collect();
        relay.ports = told.try_into().expect("it tells its three ports");
        Some(relay)
    }

    /// Where it listens on 127.0.0.1.
    pub fn port(&self, protocol: Protocol) -> u16 {
        self.ports[protocol as usize]
    }

    /// How many allocations it has.
    ///
    /// # Panics
    /// Where it has ended.
    pub fn allocations(&mut self) -> usize {
        self.input.write_all(b"\n").expect("it runs");
        self.line().parse().expect("it tells a number")
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it runs");
        line.trim().to_owned()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A certificate for 127.0.0.1, which connections of this program then trust.
fn certificate() -> TempDir {
    let signed = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]);
    let signed = signed.expect("the name is one");
    livekit::webrtc::native::trust_certificate(signed.cert.der()).expect("it is well made");
    let folder = tempfile::tempdir_in(folder()).expect("target is writable");
    let key = signed.signing_key.serialize_pem();
    for (name, text) in [("certificate.pem", signed.cert.pem()), ("key.pem", key)] {
        fs::write(folder.path().join(name), text).expect("target is writable");
    }
    folder
}

fn folder() -> PathBuf {
    workspace::target().join("turn-server")
}

/// Go itself sees whether there is something to build; of several programs that ask, one does.
fn built() -> Option<PathBuf> {
    Command::new("go").arg("version").output().ok()?;
    fs::create_dir_all(folder()).expect("target is writable");
    let lock = File::create(folder().join("lock")).expect("target is writable");
    lock.lock().expect("files can be locked");
    let program = folder().join("turn-server");
    let build = Command::new("go")
        .args(["build", "-o"])
        .args([program.as_os_str(), ".".as_ref()])
        .current_dir(workspace::root().join("tests/turn-server"))
        .output()
        .expect("go was found");
    assert!(build.status.success(), "{}", String::from_utf8_lossy(&build.stderr));
    Some(program)
}
