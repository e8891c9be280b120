//! One file of tests, as the program that cargo made of it.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;
use voicegraph_tests::livekit::{KEY, SECRET, Server};

/// How long a file may take: the longest takes a minute on two cores.
const LIMIT: Duration = Duration::from_secs(300);

/// How many tests of a file run at once. They wait more than they compute, but some measure time.
const THREADS: &str = "4";

/// How many lines of what a failed test said are shown.
const SHOWN: usize = 30;

/// A file of tests.
pub(crate) struct Suite {
    /// The file's name without its ending.
    pub(crate) name: String,
    /// The program that runs them.
    pub(crate) program: PathBuf,
    /// The folder in which cargo would run it.
    pub(crate) folder: PathBuf,
    /// Where what it says is kept.
    pub(crate) log: PathBuf,
}

/// What became of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    Failed,
    /// The time was over, or the program ended before.
    Unfinished,
}

impl Suite {
    /// What a test of it is called among those of all files.
    pub(crate) fn full_name(&self, test: &str) -> String {
        format!("{}::{test}", self.name)
    }

    /// Runs all of it. Each test has an outcome.
    pub(crate) async fn run(&self, server: &Server) -> BTreeMap<String, Outcome> {
        let names = self.names().await;
        self.start(server, &["--test-threads", THREADS], &self.log).await;
        let said = fs::read_to_string(&self.log).expect("it was just written");
        let outcome = |name: String| (name.clone(), outcome(&said, &name));
        names.into_iter().map(outcome).collect()
    }

    /// Runs one test by itself.
    pub(crate) async fn run_one(&self, server: &Server, test: &str) -> Outcome {
        let log = self.log.with_extension("again.log");
        self.start(server, &["--exact", test], &log).await;
        outcome(&fs::read_to_string(log).expect("it was just written"), test)
    }

    /// The end of what a failed test said in the run of all, each line marked as not ours.
    pub(crate) fn said(&self, test: &str) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let begin = format!("---- {test} stdout ----");
        let own = log.lines().skip_while(|line| *line != begin).skip(1);
        let own: Vec<_> = own.take_while(|line| !line.starts_with("---- ")).collect();
        let shown = &own[own.len().saturating_sub(SHOWN)..];
        shown.iter().map(|line| format!("  | {line}\n")).collect()
    }

    async fn names(&self) -> Vec<String> {
        let list = Command::new(&self.program).args(["--list", "--format", "terse"]).output();
        let list = timeout(LIMIT, list).await.expect("it only lists").expect("it was built");
        let list = String::from_utf8(list.stdout).expect("names are text");
        list.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect()
    }

    /// Runs the program to its end, or to the limit.
    async fn start(&self, server: &Server, arguments: &[&str], log: &Path) {
        let log = File::create(log).expect("target is writable");
        let mut child = Command::new(&self.program)
            .args(arguments)
            .current_dir(&self.folder)
            .env("LIVEKIT_URL", server.url())
            .env("LIVEKIT_API_KEY", KEY)
            .env("LIVEKIT_API_SECRET", SECRET)
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file can be shared"))
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .expect("it was built");
        if timeout(LIMIT, child.wait()).await.is_err() {
            child.kill().await.expect("it is our child");
        }
    }
}

/// What the test's line says.
fn outcome(said: &str, test: &str) -> Outcome {
    let begin = format!("test {test} ... ");
    match said.lines().find_map(|line| line.strip_prefix(&begin)) {
        Some("ok") => Outcome::Passed,
        Some("FAILED") => Outcome::Failed,
        _ => Outcome::Unfinished,
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Unfinished => "did not end",
        })
    }
}

#[test]
fn a_line_says_what_became_of_a_test() {
    let said = "test a ... ok\ntest a::b ... FAILED\ntest c ... ";
    let outcomes = ["a", "a::b", "c", "d"].map(|test| outcome(said, test));
    let (unfinished, failed) = (Outcome::Unfinished, Outcome::Failed);
    assert_eq!(outcomes, [Outcome::Passed, failed, unfinished, unfinished]);
}
