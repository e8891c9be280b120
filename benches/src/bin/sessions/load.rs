//! A load in a process of its own, measured from outside.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::{sleep, timeout};
use voicegraph_benches::lines::line;
use voicegraph_tests::proc::Proc;
use voicegraph_tests::python;

/// How long all sessions of a load may take to hear each other.
const READY_LIMIT: Duration = Duration::from_secs(90);

/// How long a load may take to begin, and to end.
const LIMIT: Duration = Duration::from_secs(30);

/// The share of frames in which a session must hear the other, of those that it was given. Figures
/// of a load that was not heard are none.
const HEARD: f64 = 0.9;

/// A program that talks in rooms. It writes `idle` when it is about to join, `ready` when all hear
/// each other, and after its input has ended `heard SHARE`.
pub(crate) struct Program {
    words: Vec<PathBuf>,
}

/// What a load held and took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    sessions: usize,
    /// Resident at the end, and before the first joined.
    bytes: u64,
    idle_bytes: u64,
    /// Of a core, in all.
    busy: f64,
    /// Of a core, by a session.
    pub(crate) cores: f64,
    /// The share of frames in which the other was heard.
    heard: f64,
}

impl Program {
    /// This one.
    pub(crate) fn ours() -> anyhow::Result<Self> {
        let own = std::env::current_exe().context("this program has no path")?;
        Ok(Self { words: vec![own, "talk".into()] })
    }

    /// The official Python SDK; `None` where there is no Python.
    pub(crate) async fn python() -> Option<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = python::environment(&folder.join("../tests/peer")).await?;
        Some(Self { words: vec![python, folder.join("scripts/sessions.py")] })
    }

    /// Has it talk in so many rooms, and measures for `length`.
    pub(crate) async fn measure(
        &self,
        url: &str,
        prefix: &str,
        rooms: usize,
        length: Duration,
    ) -> anyhow::Result<Figures> {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).args([url, prefix, &rooms.to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().context("the load does not start")?;
        let input = child.stdin.take().expect("stdin is a pipe");
        let mut lines = BufReader::new(child.stdout.take().expect("stdout is a pipe")).lines();
        let process = Proc::of(child.id().context("the load has ended")?);
        line(&mut lines, "idle", LIMIT).await?;
        let idle_bytes = process.resident_bytes()?;
        line(&mut lines, "ready", READY_LIMIT).await?;
        let before = process.processor_time()?;
        let begin = tokio::time::Instant::now();
        sleep(length).await;
        let spent = process.processor_time()? - before;
        let busy = spent.as_secs_f64() / begin.elapsed().as_secs_f64();
        let bytes = process.resident_bytes()?;
        drop(input);
        let heard: f64 = line(&mut lines, "heard", LIMIT).await?.parse().context("a share")?;
        ensure!(heard >= HEARD, "the sessions heard each other in {heard} of the time");
        timeout(LIMIT, child.wait()).await.context("the load does not end")??;
        let sessions = 2 * rooms;
        let cores = busy / sessions as f64;
        Ok(Figures { sessions, bytes, idle_bytes, busy, cores, heard })
    }
}

impl Figures {
    /// What each session added to the process, in bytes.
    pub(crate) fn memory_each(&self) -> f64 {
        self.bytes.saturating_sub(self.idle_bytes) as f64 / self.sessions as f64
    }

    pub(crate) fn print(&self, name: &str) {
        let (mib, kib) = (self.bytes as f64 / 1_048_576.0, self.memory_each() / 1_024.0);
        let (sessions, percent) = (self.sessions, self.cores * 100.0);
        let (busy, heard) = (self.busy, self.heard * 100.0);
        println!(
            "{name:28} {sessions:>8} {mib:>10.1} {kib:>12.0} {percent:>16.2} {busy:>10.2} {heard:>8.1}"
        );
    }

    /// The middle one by memory and by processor, each by itself.
    pub(crate) fn median(all: impl Iterator<Item = Self>) -> Self {
        let mut all: Vec<Self> = all.collect();
        let middle = all.len() / 2;
        all.sort_by_key(|figures| figures.bytes);
        let by_memory = all[middle];
        all.sort_by(|one, other| one.cores.total_cmp(&other.cores));
        Self { bytes: by_memory.bytes, idle_bytes: by_memory.idle_bytes, ..all[middle] }
    }
}
