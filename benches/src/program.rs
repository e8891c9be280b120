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
use voicegraph_benches::process::Process;
use voicegraph_database::Options;

/// How long it may take from a start to the line that says where the program listens, and from the
/// signal to its end.
const LIMIT: Duration = Duration::from_secs(10);

/// A running program. Dropping it kills it.
pub(crate) struct Program {
    child: Child,
    /// What the kernel tells of it.
    pub(crate) process: Process,
}

/// Where the simulators listen, as they say it.
#[derive(Debug, Deserialize)]
pub(crate) struct Providers {
    pub(crate) deepgram: String,
    pub(crate) openai: String,
    pub(crate) cartesia: String,
}

/// Starts the simulators, which log to `log`.
pub(crate) async fn simulate(script: &Path, log: &Path) -> anyhow::Result<(Program, Providers)> {
    let mut command = voicegraph()?;
    command.args(["simulate", "--listen", "127.0.0.1:0", "--script"]).arg(script);
    command.arg("--log-file").arg(log).stdout(Stdio::piped());
    let mut child = command.spawn().context("`voicegraph simulate` does not start")?;
    let line = first_line(child.stdout.take().expect("stdout is a pipe")).await?;
    let providers = serde_json::from_str(&line).with_context(|| format!("no URLs: {line}"))?;
    Ok((Program::new(child)?, providers))
}

/// Makes the clinic's schema in a new file; gives its URL.
pub(crate) async fn migrate(file: &Path) -> anyhow::Result<String> {
    let url = Options::file_url(file);
    let mut command = voicegraph()?;
    command.args(["migrate", "up"]).env("DATABASE_URL", &url).stdout(Stdio::null());
    let done = command.status().await.context("`voicegraph migrate` does not start")?;
    ensure!(done.success(), "`voicegraph migrate up` ended with {done}");
    Ok(url)
}

/// Starts the server of `pipeline` against `providers` and a database; gives its `host:port`.
pub(crate) async fn serve(
    pipeline: &Path,
    providers: &Providers,
    database_url: &str,
    calls: u32,
) -> anyhow::Result<(Program, String)> {
    let mut command = voicegraph()?;
    command.env("DATABASE_URL", database_url);
    command.arg("serve").arg(pipeline).args(["--listen", "127.0.0.1:0"]);
    command.args(["--max-sessions", &calls.to_string()]).stderr(Stdio::piped());
    command.env("DEEPGRAM_BASE_URL", &providers.deepgram);
    command.env("OPENAI_BASE_URL", &providers.openai);
    command.env("CARTESIA_BASE_URL", &providers.cartesia);
    for key in ["DEEPGRAM_API_KEY", "OPENAI_API_KEY", "CARTESIA_API_KEY"] {
        command.env(key, "simulated");
    }
    let mut child = command.spawn().context("`voicegraph serve` does not start")?;
    let line = first_line(child.stderr.take().expect("stderr is a pipe")).await?;
    let at = line.split_once("ws://").and_then(|(_, rest)| rest.split_once("/call"));
    let at = at.with_context(|| format!("no address: {line}"))?.0.to_owned();
    Ok((Program::new(child)?, at))
}

impl Program {
    fn new(child: Child) -> anyhow::Result<Self> {
        let pid = child.id().context("the program ended at once")?;
        Ok(Self { child, process: Process::of(pid) })
    }

    /// Asks it to end, and waits until it has: a log is then written to its end.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
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
pub(crate) async fn build() -> anyhow::Result<()> {
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
pub(crate) fn root() -> PathBuf {
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
