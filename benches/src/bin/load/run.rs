//! The whole measurement, step by step.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::task::JoinSet;
use tokio::time::Instant;
use voicegraph_benches::server::{self, Edge, SPARE_FILES};
use voicegraph_simulators::{Folder, Script};
use voicegraph_tests::poll::every;
use voicegraph_tests::proc::{Held, Proc};
use voicegraph_tests::sample::Sample;
use voicegraph_tests::serve::Serve;
use voicegraph_tests::simulate::{Simulate, borrowed};
use voicegraph_tests::worker::CLINIC;

use crate::caller::{Question, call};
use crate::clock::{Clock, Probes};
use crate::conversation::Tale;
use crate::outside::{self, Gaps};
use crate::table::table;
use crate::trace;

/// Calls before the measurement: code and pools are then in memory, and no memory is kept for many.
const WARM_UP_CALLS: u32 = 2;

/// How long the calls of the warm-up go on asking.
const WARM_UP: Duration = Duration::from_secs(8);

/// Callers pause for at least this long before a question, and for up to twice as long.
const PAUSE: Duration = Duration::from_millis(500);

/// How long what is left of calls may take to go.
const SETTLE: Duration = Duration::from_secs(30);

/// How often memory is read, and how often something is asked whether it is over.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// All that was measured.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) calls: u32,
    pub(crate) tales: Vec<Tale>,
    pub(crate) gaps: Vec<Gaps>,
    /// By how much a gap to the caller may be wrong.
    pub(crate) clock_error: Duration,
    /// What the server held before the calls and after.
    pub(crate) idle: Held,
    pub(crate) after: Held,
    /// The most memory that it held meanwhile.
    pub(crate) peak_bytes: u64,
    pub(crate) sessions_after: u32,
    pub(crate) edges: Vec<Edge>,
    /// Processor time for each second, of the server, the simulators and the callers.
    pub(crate) server_load: f64,
    pub(crate) simulators_load: f64,
    pub(crate) callers_load: f64,
}

/// The two programs and the way to them.
struct World {
    server: Serve,
    simulators: Simulate,
    probes: Probes,
    questions: Arc<[Question]>,
}

/// Measures `calls` calls for `length` and prints the table; whether every gate held.
pub(crate) async fn run(
    calls: u32,
    length: Duration,
    log: Option<PathBuf>,
) -> anyhow::Result<bool> {
    let folder = tempfile::tempdir().context("no place for the log")?;
    let log = log.unwrap_or_else(|| folder.path().join("simulate.log"));
    let database = Sample::new().await;
    let world = World::start(&log, &database, calls.max(WARM_UP_CALLS)).await?;
    let figures = world.measure(calls, length, &log).await?;
    let table = table(&figures);
    print!("{table}");
    Ok(table.holds())
}

impl World {
    async fn start(log: &Path, database: &Sample, calls: u32) -> anyhow::Result<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
        let path = folder.join("load.toml");
        let script = Script::from_toml(&std::fs::read_to_string(&path)?, &Folder(folder))?;
        let lines = script.caller.spoken();
        let questions = lines.map(|(text, samples)| Question::new(text, samples)).collect();
        let simulators = Simulate::start_logged(Some(&path), Some(log)).await;
        let deepgram = simulators.base("deepgram");
        let at = deepgram.strip_prefix("ws://").context("not a websocket's URL")?;
        let probes = Probes::take(at).await?;
        let providers = simulators.variables();
        let variables = [borrowed(&providers), vec![database.variable()]].concat();
        let arguments = [CLINIC, "--max-sessions", &calls.to_string()];
        let server = Serve::start(&arguments, &variables).await;
        Ok(Self { server, simulators, probes, questions })
    }

    async fn measure(self, calls: u32, length: Duration, log: &Path) -> anyhow::Result<Figures> {
        let server = self.server.process.proc();
        let processes = [&server, &self.simulators.process.proc(), &Proc::own()];
        let warm = self.converse(WARM_UP_CALLS, WARM_UP).await?.0;
        ensure!(warm.iter().all(|tale| tale.complaints.is_empty()), "the warm-up failed: {warm:?}");
        self.settle(Held::default()).await?;
        let idle = server.held()?;
        let (began, before) = (Instant::now(), processor_time(processes)?);
        let (tales, peak_bytes) = self.converse(calls, length).await?;
        let (elapsed, spent) = (began.elapsed(), processor_time(processes)?);
        let load = |which: usize| (spent[which] - before[which]).div_duration_f64(elapsed);
        let [server_load, simulators_load, callers_load] = [load(0), load(1), load(2)];
        let sessions_after = self.settle(idle).await?;
        let (after, edges) = (server.held()?, server::edges(&self.server.authority).await?);
        self.server.process.end().await;
        self.simulators.process.end().await;
        let entries = trace::read(log)?;
        let clock = Clock::new(&self.probes, &entries)?;
        let gaps = outside::gaps(&entries, &clock, &tales).unwrap_or_else(|error| {
            eprintln!("load: no outside view: {error:#}");
            Vec::new()
        });
        let clock_error = clock.error;
        Ok(Figures {
            calls,
            tales,
            gaps,
            clock_error,
            idle,
            after,
            peak_bytes,
            sessions_after,
            edges,
            server_load,
            simulators_load,
            callers_load,
        })
    }

    /// Carries `calls` calls at once; how they went, and the most memory that the server held
    /// meanwhile.
    async fn converse(&self, calls: u32, length: Duration) -> anyhow::Result<(Vec<Tale>, u64)> {
        let until = Instant::now() + length;
        let mut callers = JoinSet::new();
        for number in 0..calls {
            let pause = PAUSE + PAUSE * number / calls;
            callers.spawn(call(
                self.server.authority.clone(),
                Arc::clone(&self.questions),
                pause,
                until,
            ));
        }
        let (mut tales, mut peak_bytes) = (Vec::new(), 0);
        let mut look = every(LOOK_EVERY);
        while !callers.is_empty() {
            tokio::select! {
                biased;
                Some(tale) = callers.join_next() => tales.push(tale?),
                _ = look.tick() => {
                    peak_bytes = peak_bytes.max(self.server.process.proc().resident_bytes()?);
                }
            }
        }
        Ok((tales, peak_bytes))
    }

    /// Waits until the server has no calls and no more open files than there may be, or for as
    /// long as that may take; how many calls there are then.
    async fn settle(&self, idle: Held) -> anyhow::Result<u32> {
        let limit = Instant::now() + SETTLE;
        let mut look = every(LOOK_EVERY);
        loop {
            look.tick().await;
            let sessions = server::sessions(&self.server.authority).await?;
            let spared = idle.descriptors + SPARE_FILES;
            let left = self.server.process.proc().descriptors()? > spared;
            let over = sessions == 0 && (!left || idle.descriptors == 0);
            if over || Instant::now() >= limit {
                return Ok(sessions);
            }
        }
    }
}

fn processor_time(processes: [&Proc; 3]) -> anyhow::Result<[Duration; 3]> {
    let [server, simulators, callers] = processes.map(Proc::processor_time);
    Ok([server?, simulators?, callers?])
}
