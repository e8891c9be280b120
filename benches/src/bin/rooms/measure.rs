//! The measurement, step by step.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::{Instant, interval, timeout};
use voicegraph_benches::http;
use voicegraph_benches::lines::line;
use voicegraph_benches::process::{self, Held, Process};
use voicegraph_benches::program::{self, Beside, Program, Providers, SPARE_FILES};
use voicegraph_tests::livekit::{KEY, SECRET, Server, Version};

use crate::conversation::Tale;
use crate::figures::{Added, Figures, Loads, Step, cut_turns, gauge};

/// How long a worker may take until the server dispatches to it, and a load to begin.
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
    simulators: Program,
    providers: Providers,
    database_url: String,
    _folder: TempDir,
}

/// Callers in a process of their own.
struct Callers {
    child: Child,
    process: Process,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

/// The worker of a step.
struct Worker {
    program: Program,
    /// Where its figures are.
    at: String,
}

impl World {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        program::build().await?;
        let folder = tempfile::tempdir().context("no place for the database")?;
        let database_url = program::migrate(&folder.path().join("clinic.db")).await?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/load.toml");
        let (simulators, providers) = program::simulate(&script, None).await?;
        let server = Server::start("rooms", Version::New).context("Go is missing")?;
        Ok(Self { server, simulators, providers, database_url, _folder: folder })
    }

    /// Measures `calls` calls at once for `length`, after a first one by which code and pools are
    /// in memory.
    pub(crate) async fn step(
        &self,
        calls: u32,
        length: Duration,
        step: Step,
    ) -> anyhow::Result<Figures> {
        let worker = self.hire(calls).await?;
        let warm = Callers::start(&self.server.url(), &format!("warm-{calls}"), 1).await?;
        let warm = warm.leave().await?;
        ensure!(warm[0].complaint.is_none(), "the warm-up failed: {warm:?}");
        worker.settle(None).await?;
        let (idle, before) = (worker.program.process.held()?, http::metrics(&worker.at).await?);
        let callers = Callers::start(&self.server.url(), &format!("step-{calls}"), calls).await?;
        let (loads, peak_bytes) = self.watch(&worker, &callers, length).await?;
        let tales = callers.leave().await?;
        let idle_tasks = tasks(&before)?;
        let sessions_after = worker.settle(Some((idle, idle_tasks))).await?;
        let (after, metrics) = (worker.program.process.held()?, http::metrics(&worker.at).await?);
        let edges = http::edges(&worker.at).await?;
        worker.program.stop().await?;
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

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.simulators.stop().await
    }

    /// A worker that the server dispatches to.
    async fn hire(&self, calls: u32) -> anyhow::Result<Worker> {
        let (providers, database_url) = (&self.providers, self.database_url.as_str());
        let beside = Beside { providers, database_url, calls };
        let clinic = program::root().join("pipelines/clinic");
        let (url, key) = (self.server.url(), (KEY, SECRET));
        let (program, at) = program::work(&clinic, beside, &url, key).await?;
        let ready = async {
            let mut look = interval(LOOK_EVERY);
            while gauge(&http::metrics(&at).await?, "voicegraph_worker_ready") != Some(1.0) {
                look.tick().await;
            }
            anyhow::Ok(())
        };
        timeout(START_LIMIT, ready).await.context("the worker is not registered in time")??;
        Ok(Worker { program, at })
    }

    /// What all take in `length`, and the most memory that the worker holds.
    async fn watch(
        &self,
        worker: &Worker,
        callers: &Callers,
        length: Duration,
    ) -> anyhow::Result<(Loads, u64)> {
        let server = Process::of(self.server.id().context("livekit-server has ended")?);
        let [worker, simulators] = [&worker.program, &self.simulators].map(|it| &it.process);
        let spent = || -> anyhow::Result<[Duration; 5]> {
            let all = [worker, &server, &callers.process, simulators].map(Process::processor_time);
            let [worker, server, callers, simulators] = all;
            Ok([worker?, server?, callers?, simulators?, process::machine_time()?])
        };
        let (began, before) = (Instant::now(), spent()?);
        let (mut look, mut peak_bytes) = (interval(LOOK_EVERY), 0);
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

impl Worker {
    /// Waits until it has no calls, and no more tasks and open files than it may have after calls,
    /// where that is known; no longer than that may take. How many calls there are then.
    async fn settle(&self, idle: Option<(Held, u64)>) -> anyhow::Result<u32> {
        let limit = Instant::now() + SETTLE;
        let mut look = interval(LOOK_EVERY);
        loop {
            look.tick().await;
            let sessions = http::health(&self.at).await?.sessions;
            let over = match idle {
                None => true,
                Some((held, all)) => {
                    let files = self.program.process.descriptors()?;
                    let tasks = tasks(&http::metrics(&self.at).await?)?;
                    tasks <= all && files <= held.descriptors + SPARE_FILES
                }
            };
            if (sessions == 0 && over) || Instant::now() >= limit {
                return Ok(sessions);
            }
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
        let process = Process::of(child.id().context("the callers have ended")?);
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
