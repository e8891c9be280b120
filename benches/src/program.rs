//! The processes under test: built by cargo where they are not, started on free ports, stopped in
//! order.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;
use voicegraph_database::Options;

use crate::process::Process;

/// How long it may take from a start to the line that says where the program listens, and from the
/// signal to its end.
const LIMIT: Duration = Duration::from_secs(10);

/// Connections that the database's pool keeps open, its default: a burst of calls opens them.
const KEPT_CONNECTIONS: usize = 10;

/// Files that may be open after the calls and were not before: those of the kept connections to
/// SQLite, each the database, its log and the log's index. Forty calls that left one each are more.
pub const SPARE_FILES: usize = 3 * KEPT_CONNECTIONS;

/// Threads that may be there after the calls and were not before: one of each kept connection to
/// SQLite, and those that a runtime keeps for blocking work, and lets go when they idle.
pub const SPARE_THREADS: usize = KEPT_CONNECTIONS + 2;

/// Processors that a worker takes the machine to have, so that it never declines a job for its
/// load: what comes beyond that is to be seen, too.
const NUM_CPUS: &str = "1000";

/// A running program. Dropping it kills it.
#[derive(Debug)]
pub struct Program {
    child: Child,
    /// What the kernel tells of it.
    pub process: Process,
}

/// Where the simulators listen, as they say it.
#[derive(Debug, Deserialize)]
pub struct Providers {
    /// Deepgram's stand-in.
    pub deepgram: String,
    /// `OpenAI`'s.
    pub openai: String,
    /// Cartesia's.
    pub cartesia: String,
}

/// Starts the simulators, which log to `log` where there is one.
///
/// # Errors
/// Where they do not say in time where they listen.
pub async fn simulate(script: &Path, log: Option<&Path>) -> anyhow::Result<(Program, Providers)> {
    let mut command = voicegraph()?;
    command.args(["simulate", "--listen", "127.0.0.1:0", "--script"]).arg(script);
    command.args(log.iter().flat_map(|path| [Path::new("--log-file"), path]));
    command.stdout(Stdio::piped());
    let mut child = command.spawn().context("`voicegraph simulate` does not start")?;
    let line = first_line(child.stdout.take().expect("stdout is a pipe")).await?;
    let providers = serde_json::from_str(&line).with_context(|| format!("no URLs: {line}"))?;
    Ok((Program::new(child)?, providers))
}

/// Makes the clinic's schema in a new file; gives its URL.
///
/// # Errors
/// Where it cannot be made.
pub async fn migrate(file: &Path) -> anyhow::Result<String> {
    let url = Options::file_url(file);
    let mut command = voicegraph()?;
    command.args(["migrate", "up"]).env("DATABASE_URL", &url).stdout(Stdio::null());
    let done = command.status().await.context("`voicegraph migrate` does not start")?;
    ensure!(done.success(), "`voicegraph migrate up` ended with {done}");
    Ok(url)
}

/// What a pipeline needs beside itself.
#[derive(Clone, Copy, Debug)]
pub struct Beside<'a> {
    /// The stand-ins of its providers.
    pub providers: &'a Providers,
    /// Its database.
    pub database_url: &'a str,
    /// How many calls there may be at once.
    pub calls: u32,
}

/// Starts the server of `pipeline`; gives its `host:port`.
///
/// # Errors
/// Where it does not say in time where it listens.
pub async fn serve(pipeline: &Path, beside: Beside<'_>) -> anyhow::Result<(Program, String)> {
    let mut command = beside.command("serve", pipeline)?;
    let mut child = command.spawn().context("`voicegraph serve` does not start")?;
    let line = first_line(child.stderr.take().expect("stderr is a pipe")).await?;
    Ok((Program::new(child)?, between(&line, "ws://", "/call")?))
}

/// Starts a worker of `pipeline` at the LiveKit server `url`, which gets a job for each new room;
/// gives the `host:port` of its figures. It takes jobs however busy the machine is.
///
/// # Errors
/// Where it does not say in time where it listens.
pub async fn work(
    pipeline: &Path,
    beside: Beside<'_>,
    url: &str,
    key: (&str, &str),
) -> anyhow::Result<(Program, String)> {
    let mut command = beside.command("worker", pipeline)?;
    command.args(["--url", url, "--num-cpus", NUM_CPUS]);
    command.env("LIVEKIT_API_KEY", key.0).env("LIVEKIT_API_SECRET", key.1);
    let mut child = command.spawn().context("`voicegraph worker` does not start")?;
    let line = first_line(child.stderr.take().expect("stderr is a pipe")).await?;
    Ok((Program::new(child)?, between(&line, "http://", ",")?))
}

/// What stands in `line` after `before` up to `after`.
fn between(line: &str, before: &str, after: &str) -> anyhow::Result<String> {
    let rest = line.split_once(before).and_then(|(_, rest)| rest.split_once(after));
    Ok(rest.with_context(|| format!("no address: {line}"))?.0.to_owned())
}

impl Beside<'_> {
    /// `voicegraph WORD PIPELINE` on a free port.
    fn command(self, word: &str, pipeline: &Path) -> anyhow::Result<Command> {
        let mut command = voicegraph()?;
        command.env("DATABASE_URL", self.database_url);
        command.arg(word).arg(pipeline).args(["--listen", "127.0.0.1:0"]);
        command.args(["--max-sessions", &self.calls.to_string()]).stderr(Stdio::piped());
        command.env("DEEPGRAM_BASE_URL", &self.providers.deepgram);
        command.env("OPENAI_BASE_URL", &self.providers.openai);
        command.env("CARTESIA_BASE_URL", &self.providers.cartesia);
        for key in ["DEEPGRAM_API_KEY", "OPENAI_API_KEY", "CARTESIA_API_KEY"] {
            command.env(key, "simulated");
        }
        Ok(command)
    }
}

impl Program {
    fn new(child: Child) -> anyhow::Result<Self> {
        let pid = child.id().context("the program ended at once")?;
        Ok(Self { child, process: Process::of(pid) })
    }

    /// Asks it to end, and waits until it has: a log is then written to its end.
    ///
    /// # Errors
    /// Where it does not end well and in time.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        let pid = self.child.id().context("the program ended before it was asked to")?.to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status().await?;
        ensure!(told.success(), "the program cannot be signalled");
        let ended = timeout(LIMIT, self.child.wait()).await.context("it does not end")??;
        ensure!(ended.success(), "the program ended with {ended}");
        Ok(())
    }
}

/// The program, from the same build as this one, in an environment that says nothing.
fn voicegraph() -> anyhow::Result<Command> {
    let own = std::env::current_exe()?;
    let folder = own.parent().context("a program lies in a folder")?;
    let path = folder.join(format!("voicegraph{}", std::env::consts::EXE_SUFFIX));
    let mut command = Command::new(path);
    command.env_clear().stdin(Stdio::null()).kill_on_drop(true);
    Ok(command)
}

/// Builds the program as this one was built: cargo builds another package's programs only when
/// asked.
///
/// # Errors
/// Where it does not build.
pub async fn build() -> anyhow::Result<()> {
    let own = std::env::current_exe()?;
    let folder = own.parent().and_then(Path::file_name).context("no folder")?.to_string_lossy();
    let profile = if folder == "debug" { "dev" } else { &folder };
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--workspace", "--bin", "voicegraph"])
        .args(["--profile", profile])
        .current_dir(root())
        .status()
        .await
        .context("cargo does not start")?;
    ensure!(built.success(), "the program does not build");
    Ok(())
}

/// The folder of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The first line of `output`. What follows is read and left out, so that the program never waits
/// for a reader.
async fn first_line(output: impl AsyncRead + Send + Unpin + 'static) -> anyhow::Result<String> {
    let mut lines = BufReader::new(output).lines();
    let first = timeout(LIMIT, lines.next_line()).await.context("it does not say where")??;
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    first.context("it ended before it said where it listens")
}
