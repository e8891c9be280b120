//! A PostgreSQL server of the test's own: private data, a free port, TLS by an authority made for
//! it.
//!
//! The program that runs the tests holds the pipe that a watcher reads: when it ends, however it
//! ends, the watcher stops the server and removes its data.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::workspace;

/// Where Debian keeps the programs of each version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// The server's own user, as whom PostgreSQL runs where the tests run as root.
const USER: [&str; 5] = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"];

/// The password of the one role, as in a test nobody guesses.
const PASSWORD: &str = "not-a-secret";

/// A running server.
#[derive(Debug)]
pub struct Postgres {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    databases: AtomicU32,
    /// Its standard input is what the watcher reads.
    _watcher: Child,
}

/// Whether a server has TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// With a certificate for `localhost`, by the authority in `Postgres::authority`.
    On,
    /// Without.
    Off,
}

impl Postgres {
    /// The server that all tests of a program share. `None`, and the suite is noted as skipped,
    /// where PostgreSQL is not installed.
    pub fn shared(suite: &str) -> Option<&'static Self> {
        static SERVER: LazyLock<Option<Postgres>> =
            LazyLock::new(|| programs().map(|programs| Postgres::with(programs, Tls::On)));
        noted(suite, SERVER.as_ref())
    }

    /// A server for one test. `None`, and the suite is noted as skipped, where PostgreSQL is not
    /// installed.
    ///
    /// # Panics
    /// Where it is installed and does not start; what it says stands in the message.
    pub fn start(suite: &str, tls: Tls) -> Option<Self> {
        noted(suite, programs().map(|programs| Self::with(programs, tls)))
    }

    fn with(programs: PathBuf, tls: Tls) -> Self {
        let folder = tempfile::Builder::new().prefix("voicegraph-postgres-").tempdir();
        let folder = folder.expect("there is room for temporary files").keep();
        write_certificates(&folder);
        fs::write(folder.join("password"), PASSWORD).expect("the folder is new");
        if is_root() {
            succeed(Command::new("chown").args(["-R", "nobody:nogroup"]).arg(&folder));
        }
        let data = folder.join("data");
        let mut initdb = as_user(&programs.join("initdb"));
        initdb.args(["--username=voicegraph", "--auth=scram-sha-256", "--encoding=UTF8"]);
        initdb.args(["--locale=C", "--no-sync", "--pgdata"]).arg(&data);
        succeed(initdb.arg("--pwfile").arg(folder.join("password")));
        let port = free_port();
        configure(&folder, port, tls);
        let watcher = watch(&programs, &folder);
        let databases = AtomicU32::new(0);
        let server = Self { programs, folder, port, databases, _watcher: watcher };
        server.resume();
        server
    }

    /// Starts the server again after [`pause`](Self::pause), and waits until it takes connections.
    pub fn resume(&self) {
        let log = self.folder.join("log");
        let mut start = self.control();
        // A pipe would stay open in the server, and be waited for.
        start.arg("-l").arg(&log).args(["-w", "start"]).stdout(Stdio::null()).stderr(Stdio::null());
        let started = start.status().expect("it was found");
        assert!(started.success(), "{}", fs::read_to_string(&log).unwrap_or_default());
    }

    /// Stops the server at once, as a machine that is lost does for its clients.
    pub fn pause(&self) {
        succeed(self.control().args(["-m", "immediate", "-w", "stop"]));
    }

    /// The certificate of its authority: a PEM file.
    pub fn authority(&self) -> PathBuf {
        self.folder.join("authority.pem")
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of a database, by the name that the certificate is for.
    pub fn url(&self, database: &str) -> String {
        self.url_at("localhost", database)
    }

    /// The same, by another name of this machine.
    pub fn url_at(&self, host: &str, database: &str) -> String {
        format!("postgres://voicegraph:{PASSWORD}@{host}:{}/{database}", self.port)
    }

    /// Makes an empty database, and gives its URL.
    ///
    /// # Panics
    /// Where the server does not.
    pub async fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut connection = self.connect("postgres").await;
        let create = AssertSqlSafe(format!("create database {name}"));
        connection.execute(create).await.expect("the name is new");
        self.url(&name)
    }

    /// A connection of the test's own, past what is tested.
    ///
    /// # Panics
    /// Where there is none.
    pub async fn connect(&self, database: &str) -> PgConnection {
        let url = format!("{}?sslmode=disable", self.url_at("127.0.0.1", database));
        PgConnection::connect(&url).await.expect("the server runs")
    }

    fn control(&self) -> Command {
        let mut control = as_user(&self.programs.join("pg_ctl"));
        control.arg("-D").arg(self.folder.join("data"));
        control
    }
}

/// Gives the server on, or notes that `suite` was skipped for want of one.
fn noted<T>(suite: &str, server: Option<T>) -> Option<T> {
    if server.is_none() {
        workspace::skip(suite, "no PostgreSQL");
    }
    server
}

/// The folder of the newest version's programs.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir(VERSIONS).ok()?.flatten();
    let number = |path: PathBuf| Some((path.file_name()?.to_str()?.parse::<u32>().ok()?, path));
    let newest = versions.filter_map(|entry| number(entry.path())).max()?;
    Some(newest.1.join("bin")).filter(|programs| programs.join("initdb").exists())
}

/// A command as a user that PostgreSQL consents to run as.
fn as_user(program: &Path) -> Command {
    let mut command = Command::new(if is_root() { Path::new(USER[0]) } else { program });
    if is_root() {
        command.args(&USER[1..]).arg(program);
    }
    command.current_dir("/").env_clear().env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
    command
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("every Unix has `id`");
    id.stdout == b"0\n"
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A certificate for `localhost`, and the authority that signed it.
fn write_certificates(folder: &Path) {
    let key = || KeyPair::generate().expect("there is randomness");
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, key()).expect("the parameters are right");
    let (own, params) = (key(), CertificateParams::new(["localhost".to_owned()]));
    let signed = params.expect("a name").signed_by(&own, &authority).expect("a key that signs");
    let write = |name: &str, text: String| {
        fs::write(folder.join(name), text).expect("the folder is new");
    };
    write("authority.pem", authority.pem());
    write("server.pem", signed.pem());
    write("server.key", own.serialize_pem());
    succeed(Command::new("chmod").arg("600").arg(folder.join("server.key")));
    // The tests read the authority's certificate, whoever they run as.
    succeed(Command::new("chmod").arg("755").arg(folder));
}

fn configure(folder: &Path, port: u16, tls: Tls) {
    let ssl = match tls {
        Tls::On => "on",
        Tls::Off => "off",
    };
    let at = folder.display();
    let text = format!(
        "port = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n\
         max_connections = 200\nfsync = off\nssl = {ssl}\n\
         ssl_cert_file = '{at}/server.pem'\nssl_key_file = '{at}/server.key'\n"
    );
    let path = folder.join("data/postgresql.auto.conf");
    fs::write(path, text).expect("initdb has made the folder");
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    listener.local_addr().expect("it is bound").port()
}

/// Starts who stops the server and removes its data when this program ends.
fn watch(programs: &Path, folder: &Path) -> Child {
    let script = "read -r _; \"$1/pg_ctl\" -D \"$2/data\" -m immediate -w stop; rm -rf \"$2\"";
    let mut watcher = as_user(Path::new("/bin/sh"));
    watcher.args(["-c", script, "watcher"]).arg(programs).arg(folder);
    watcher.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    watcher.spawn().expect("every Unix has a shell")
}
