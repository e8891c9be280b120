//! The measurement, step by step.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::{Instant, timeout};
use voicegraph_benches::lines::line;
use voicegraph_benches::server::{self, SPARE_FILES};
use voicegraph_tests::livekit::{Server, Version};
use voicegraph_tests::poll::every;
use voicegraph_tests::proc::{self, Held, Proc};
use voicegraph_tests::sample::Sample;
use voicegraph_tests::simulate::{Simulate, borrowed};
use voicegraph_tests::worker::{Setup, Worker};

use crate::conversation::Tale;
use crate::figures::{Added, Figures, Loads, Step, cut_turns, gauge};

/// How long a load may take to begin.
const START_LIMIT: Duration = Duration::from_secs(30);

/// How long all callers may take to be greeted.
const READY_LIMIT: Duration = Duration::from_secs(120);

/// How long the last answers may take to be heard.
const LEAVE_LIMIT: Duration = Duration::from_secs(60);

/// How long what is left of calls may take to go.
const SETTLE: Duration = Duration::from_secs(60);

/// How often memory is read, and how often something is asked whether it is over.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What stays through all steps.
pub(crate) struct World {
    server: Server,
    simulators: Simulate,
    database: Sample,
}

/// Callers in a process of their own.
struct Callers {
    child: Child,
    process: Proc,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl World {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/load.toml");
        let simulators = Simulate::start(Some(&script)).await;
        let server = Server::start("rooms", Version::New).context("Go is missing")?;
        Ok(Self { server, simulators, database: Sample::new().await })
    }

    /// Measures `calls` calls at once for `length`, after a first one by which code and pools are
    /// in memory.
    pub(crate) async fn step(
        &self,
        calls: u32,
        length: Duration,
        step: Step,
    ) -> anyhow::Result<Figures> {
        let worker = self.hire(calls).await;
        let warm = Callers::start(&self.server.url(), &format!("warm-{calls}"), 1).await?;
        let warm = warm.leave().await?;
        ensure!(warm[0].complaint.is_none(), "the warm-up failed: {warm:?}");
        settle(&worker, None).await?;
        let (idle, before) = (worker.process.proc().held()?, worker.figures().await.0);
        let callers = Callers::start(&self.server.url(), &format!("step-{calls}"), calls).await?;
        let (loads, peak_bytes) = self.watch(&worker, &callers, length).await?;
        let tales = callers.leave().await?;
        let idle_tasks = tasks(&before)?;
        let sessions_after = settle(&worker, Some((idle, idle_tasks))).await?;
        let (after, metrics) = (worker.process.proc().held()?, worker.figures().await.0);
        let edges = server::edges(&worker.authority).await?;
        worker.process.end().await;
        Ok(Figures {
            calls,
            step,
            tales,
            idle,
            after,
            idle_tasks,
            tasks_after: tasks(&metrics)?,
            peak_bytes,
            sessions_after,
            edges,
            added: Added::read(&metrics).since(&Added::read(&before)),
            cut_turns: cut_turns(&metrics),
            loads,
        })
    }

    pub(crate) async fn stop(self) {
        self.simulators.stop().await;
    }

    /// A worker that gets a job for each new room.
    async fn hire(&self, calls: u32) -> Worker {
        let (url, providers, calls) =
            (self.server.url(), self.simulators.variables(), calls.to_string());
        Worker::start(Setup {
            database: Some(self.database.url()),
            variables: &borrowed(&providers),
            more: &["--max-sessions", &calls, "--log", "warn"],
            ..Setup::new(&url, "")
        })
        .await
    }

    /// What all take in `length`, and the most memory that the worker holds.
    async fn watch(
        &self,
        worker: &Worker,
        callers: &Callers,
        length: Duration,
    ) -> anyhow::Result<(Loads, u64)> {
        let server = Proc::of(self.server.id().context("livekit-server has ended")?);
        let (worker, simulators) = (worker.process.proc(), self.simulators.process.proc());
        let spent = || -> anyhow::Result<[Duration; 5]> {
            let all = [&worker, &server, &callers.process, &simulators].map(Proc::processor_time);
            let [worker, server, callers, simulators] = all;
            Ok([worker?, server?, callers?, simulators?, proc::machine_time()?])
        };
        let (began, before) = (Instant::now(), spent()?);
        let (mut look, mut peak_bytes) = (every(LOOK_EVERY), 0);
        while began.elapsed() < length {
            look.tick().await;
            peak_bytes = peak_bytes.max(worker.resident_bytes()?);
        }
        let (elapsed, after) = (began.elapsed(), spent()?);
        let load = |which: usize| (after[which] - before[which]).div_duration_f64(elapsed);
        let [worker, server, callers, simulators, machine] = [0, 1, 2, 3, 4].map(load);
        Ok((Loads { worker, server, callers, simulators, machine }, peak_bytes))
    }
}

/// Waits until the worker has no calls, and no more tasks and open files than it may have after
/// calls, where that is known; no longer than that may take. How many calls there are then.
async fn settle(worker: &Worker, idle: Option<(Held, u64)>) -> anyhow::Result<u32> {
    let limit = Instant::now() + SETTLE;
    let mut look = every(LOOK_EVERY);
    loop {
        look.tick().await;
        let sessions = server::sessions(&worker.authority).await?;
        let over = match idle {
            None => true,
            Some((held, all)) => {
                let files = worker.process.proc().descriptors()?;
                let tasks = tasks(&worker.figures().await.0)?;
                tasks <= all && files <= held.descriptors + SPARE_FILES
            }
        };
        if (sessions == 0 && over) || Instant::now() >= limit {
            return Ok(sessions);
        }
    }
}

fn tasks(metrics: &str) -> anyhow::Result<u64> {
    let tasks = gauge(metrics, "voicegraph_worker_tasks");
    Ok(tasks.context("the worker does not say how many tasks it has")? as u64)
}

impl Callers {
    /// So many at `url`, all greeted.
    async fn start(url: &str, prefix: &str, calls: u32) -> anyhow::Result<Self> {
        let own = std::env::current_exe().context("this program has no path")?;
        let mut command = Command::new(own);
        command.args(["call", url, prefix, &calls.to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().context("the callers do not start")?;
        let input = child.stdin.take().expect("stdin is a pipe");
        let mut lines = BufReader::new(child.stdout.take().expect("stdout is a pipe")).lines();
        let process = Proc::of(child.id().context("the callers have ended")?);
        line(&mut lines, "idle", START_LIMIT).await?;
        line(&mut lines, "ready", READY_LIMIT).await?;
        Ok(Self { child, process, input, lines })
    }

    /// Lets them hear the last answers and leave; how it went.
    async fn leave(mut self) -> anyhow::Result<Vec<Tale>> {
        drop(self.input);
        let told = line(&mut self.lines, "told", LEAVE_LIMIT).await?;
        timeout(LEAVE_LIMIT, self.child.wait()).await.context("the callers do not end")??;
        serde_json::from_str(&told).context("the callers do not say how it went")
    }
}
