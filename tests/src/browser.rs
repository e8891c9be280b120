//! Chromium on the playground's page, driven under Node by the visits in `tests/playground`, with
//! the packages of `playground/package-lock.json`.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::livekit::within;
use crate::workspace;

/// What it is called: by Debian's package, and where Google's own build is installed.
const CHROMIUM: [&str; 2] = ["chromium", "google-chrome"];

/// How long the whole visit may take.
const VISIT_LIMIT: Duration = Duration::from_secs(180);

/// Where the pictures of the page are kept.
///
/// # Panics
/// Where `target` cannot be written.
pub fn pictures() -> PathBuf {
    let folder = workspace::target().join("playground");
    fs::create_dir_all(&folder).expect("target is writable");
    folder
}

/// What the packages are installed by.
const MANIFEST: [&str; 3] = ["package.json", "package-lock.json", ".npmrc"];

/// A visit of the page.
pub struct Browser {
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
pub struct Report {
    /// Both sides' words, line by line: `You: …`.
    pub conversation: Vec<String>,
    /// The highest levels that the meters showed, in dBFS.
    pub mic_dbfs: f64,
    /// The agent's voice.
    pub agent_dbfs: f64,
    /// Edges on which the drawing has figures.
    pub live_edges: u32,
    /// Rows of the two tables.
    pub edges: Vec<Vec<String>>,
    /// A row for each turn.
    pub turns: Vec<Vec<String>>,
    /// Errors and warnings of the console, exceptions, requests that failed.
    pub complaints: Vec<String>,
    /// Every host that was asked.
    pub hosts: Vec<String>,
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
    ///
    /// # Panics
    /// Where the packages cannot be installed.
    pub async fn visit(suite: &str, visit: &str, page: &str, voice: &Path) -> Option<Self> {
        let Some((packages, chromium)) = packages().await.zip(chromium()) else {
            workspace::skip(suite, "no Chromium, or no Node with npm to drive it");
            return None;
        };
        let driver = workspace::root().join("tests/tests/playground").join(visit);
        let mut command = Command::new("node");
        command.arg(driver).arg(packages).arg(chromium).arg(page).arg(voice).arg(pictures());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut node = command.spawn().expect("Node was just asked");
        let lines = BufReader::new(node.stdout.take().expect("it is a pipe")).lines();
        Some(Self { node, lines })
    }

    /// The room that the page joins.
    ///
    /// # Panics
    /// Where the visit fails before.
    pub async fn room(&mut self) -> String {
        match within("the page's room", self.next()).await {
            Told::Room(room) => room,
            Told::Failed(why) => panic!("{why}"),
            Told::Report(report) => panic!("no room, but {report:?}"),
        }
    }

    /// What was seen, once the visit is over.
    ///
    /// # Panics
    /// Where it failed, or does not end in time.
    pub async fn report(&mut self) -> Report {
        let told = tokio::time::timeout(VISIT_LIMIT, self.next()).await;
        match told.expect("the visit ends in time") {
            Told::Report(report) => {
                assert!(self.node.wait().await.expect("it is our child").success());
                report
            }
            Told::Failed(why) => panic!("{why}"),
            Told::Room(room) => panic!("another room: {room}"),
        }
    }

    async fn next(&mut self) -> Told {
        let line = self
            .lines
            .next_line()
            .await
            .expect("it writes text")
            .expect("the driver tells how it ends");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }
}

/// A folder with the installed packages; `None` without Node.
async fn packages() -> Option<PathBuf> {
    Command::new("npm").arg("--version").output().await.ok()?;
    let source = workspace::root().join("playground");
    let mut hasher = DefaultHasher::new();
    for name in MANIFEST {
        fs::read(source.join(name)).expect("it is committed").hash(&mut hasher);
    }
    let folder = workspace::target().join(format!("playground-{:016x}", hasher.finish()));
    let complete = folder.join("complete");
    fs::create_dir_all(&folder).expect("target is writable");
    let lock = File::create(folder.join("lock")).expect("target is writable");
    lock.lock().expect("a file can be locked");
    if !complete.exists() {
        for name in MANIFEST {
            fs::copy(source.join(name), folder.join(name)).expect("target is writable");
        }
        let install = Command::new("npm").arg("ci").current_dir(&folder).output().await;
        let install = install.expect("npm was just asked");
        assert!(install.status.success(), "{}", String::from_utf8_lossy(&install.stderr));
        fs::write(complete, "").expect("target is writable");
    }
    Some(folder)
}
