//! A real TURN server on loopback, built once from `tests/turn-server` (pion's).

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use crate::server::{note_skipped, root, target};

/// Who may use it.
pub(crate) const USERNAME: &str = "ada";
pub(crate) const PASSWORD: &str = "not-a-secret";

/// A running relay; it ends when dropped.
pub(crate) struct Relay {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// The ports for UDP, TCP and TLS.
    pub(crate) ports: [u16; 3],
}

impl Relay {
    /// `None`, and the suite is noted as skipped, where Go is missing.
    pub(crate) fn start(suite: &str) -> Option<Self> {
        let Some(program) = built() else {
            note_skipped(suite, "no Go to build turn-server with");
            return None;
        };
        let (certificate, key) = certificate();
        let mut process = Command::new(program)
            .args([&certificate, &key])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it was built");
        let input = process.stdin.take().expect("it is piped");
        let mut output = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut line = String::new();
        output.read_line(&mut line).expect("it tells its ports");
        let ports: Vec<u16> = line.split_whitespace().map(|it| it.parse().unwrap()).collect();
        let ports = ports.try_into().unwrap_or_else(|_| panic!("it told {line:?}"));
        Some(Self { process, input, output, ports })
    }

    /// How many allocations there are.
    pub(crate) fn allocations(&mut self) -> usize {
        self.input.write_all(b"\n").expect("it runs");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it tells its allocations");
        line.trim().parse().unwrap_or_else(|_| panic!("it told {line:?}"))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Files of a certificate for 127.0.0.1 and its key; the certificate is trusted here.
fn certificate() -> (PathBuf, PathBuf) {
    static MADE: Mutex<Option<(PathBuf, PathBuf)>> = Mutex::new(None);
    let mut made = MADE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(files) = &*made {
        return files.clone();
    }
    let signed = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    libwebrtc::native::trust_certificate(signed.cert.der()).unwrap();
    let folder = target().join("turn-server");
    let name = std::process::id().to_string();
    let files = (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
    fs::write(&files.0, signed.cert.pem()).expect("target is writable");
    fs::write(&files.1, signed.signing_key.serialize_pem()).expect("target is writable");
    made.insert(files).clone()
}

/// The program, built in `target/turn-server`.
fn built() -> Option<PathBuf> {
    static BUILDING: Mutex<()> = Mutex::new(());
    let _one = BUILDING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let folder = target().join("turn-server");
    let program = folder.join("turn-server");
    if program.exists() {
        return Some(program);
    }
    Command::new("go").arg("version").output().ok()?;
    fs::create_dir_all(&folder).expect("target is writable");
    let build = Command::new("go")
        .args(["build", "-o"])
        .arg(&program)
        .arg(".")
        .current_dir(root().join("tests/turn-server"))
        .output()
        .expect("go was found");
    assert!(build.status.success(), "{}", String::from_utf8_lossy(&build.stderr));
    Some(program)
}
