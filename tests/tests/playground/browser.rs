//! Chromium, driven by the visits beside this file under Node, with the packages of
//! `playground/package-lock.json`.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use voicegraph_tests::livekit::within;
use voicegraph_tests::workspace;

/// What it is called: by Debian's package, and where Google's own build is installed.
const CHROMIUM: [&str; 2] = ["chromium", "google-chrome"];

/// How long the whole visit may take.
const VISIT_LIMIT: Duration = Duration::from_secs(180);

/// Where the pictures of the page are kept.
pub(crate) fn pictures() -> PathBuf {
    let folder = workspace::target().join("playground");
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// What the packages are installed by.
const MANIFEST: [&str; 3] = ["package.json", "package-lock.json", ".npmrc"];

/// A visit of the page.
pub(crate) struct Browser {
    node: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

/// What the driver tells on its way.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Told {
    /// The room that the page was given.
    Room(String),
    /// All went as it should.
    Report(Report),
    /// It did not.
    Failed(String),
}

/// What was seen on the page.
#[derive(Debug, Deserialize)]
pub(crate) struct Report {
    /// Both sides' words, line by line: `You: …`.
    pub(crate) conversation: Vec<String>,
    /// The highest levels that the meters showed, in dBFS.
    pub(crate) mic_dbfs: f64,
    pub(crate) agent_dbfs: f64,
    /// Edges on which the drawing has figures.
    pub(crate) live_edges: u32,
    /// Rows of the two tables.
    pub(crate) edges: Vec<Vec<String>>,
    pub(crate) turns: Vec<Vec<String>>,
    /// Errors and warnings of the console, exceptions, requests that failed.
    pub(crate) complaints: Vec<String>,
    /// Every host that was asked.
    pub(crate) hosts: Vec<String>,
}

/// The first that is installed.
fn chromium() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "programs of the machine are found by it")]
    let path = std::env::var_os("PATH")?;
    let found = |name: &str| {
        std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
    };
    CHROMIUM.into_iter().find_map(found)
}

impl Browser {
    /// Opens `page` and does what `visit` says, with a microphone that plays `voice`; pictures go
    /// into [`pictures`]. `None`, and `suite` is noted as skipped, where Node or Chromium is
    /// missing.
    pub(crate) async fn visit(suite: &str, visit: &str, page: &str, voice: &Path) -> Option<Self> {
        let Some((packages, chromium)) = packages().await.zip(chromium()) else {
            workspace::skip(suite, "no Chromium, or no Node with npm to drive it");
            return None;
        };
        let driver = workspace::root().join("tests/tests/playground").join(visit);
        let mut command = Command::new("node");
        command.arg(driver).arg(packages).arg(chromium).arg(page).arg(voice).arg(pictures());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut node = command.spawn().unwrap();
        let lines = BufReader::new(node.stdout.take().unwrap()).lines();
        Some(Self { node, lines })
    }

    /// The room that the page joins.
    pub(crate) async fn room(&mut self) -> String {
        match within("the page's room", self.next()).await {
            Told::Room(room) => room,
            Told::Failed(why) => panic!("{why}"),
            Told::Report(report) => panic!("no room, but {report:?}"),
        }
    }

    /// What was seen, once the visit is over.
    pub(crate) async fn report(&mut self) -> Report {
        let told = tokio::time::timeout(VISIT_LIMIT, self.next()).await;
        match told.expect("the visit ends in time") {
            Told::Report(report) => {
                assert!(self.node.wait().await.unwrap().success());
                report
            }
            Told::Failed(why) => panic!("{why}"),
            Told::Room(room) => panic!("another room: {room}"),
        }
    }

    async fn next(&mut self) -> Told {
        let line = self.lines.next_line().await.unwrap().expect("the driver tells how it ends");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }
}

/// A folder with the installed packages; `None` without Node.
async fn packages() -> Option<PathBuf> {
    Command::new("npm").arg("--version").output().await.ok()?;
    let source = workspace::root().join("playground");
    let mut hasher = DefaultHasher::new();
    for name in MANIFEST {
        fs::read(source.join(name)).unwrap().hash(&mut hasher);
    }
    let folder = workspace::target().join(format!("playground-{:016x}", hasher.finish()));
    let complete = folder.join("complete");
    fs::create_dir_all(&folder).unwrap();
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    if !complete.exists() {
        for name in MANIFEST {
            fs::copy(source.join(name), folder.join(name)).unwrap();
        }
        let install = Command::new("npm").arg("ci").current_dir(&folder).output().await.unwrap();
        assert!(install.status.success(), "{}", String::from_utf8_lossy(&install.stderr));
        fs::write(complete, "").unwrap();
    }
    Some(folder)
}
