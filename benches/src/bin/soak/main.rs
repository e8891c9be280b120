//! Question: does a call leave anything behind?
//!
//! Budget: after the first thousand calls in a row, resident memory stays as it is, to
//! [`SLACK_BYTES`]; after the last, no task is alive and no more files are open than after the
//! first thousand. Each call must have ended in order with its question answered. Everything runs
//! in virtual time in one process, sharing one graph, one runtime, one set of metrics, one set of
//! simulators and one SQLite file, which has a record of each call at the end.
//!
//! Then, `repeats`: does a call depend on anything but its script?

mod repeats;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use clap::Parser;
use tokio::runtime::Handle;
use tokio::time::Instant;
use voicegraph_database::migrate::Migrator;
use voicegraph_database::{Database, Options, Settings};
use voicegraph_engine::config::{self, Sources};
use voicegraph_engine::connect::{Connector, Roots};
use voicegraph_engine::event::{Event, Observer};
use voicegraph_engine::graph::Graph;
use voicegraph_engine::metrics::Metrics;
use voicegraph_engine::runtime::{Admission, Pipeline, Runtime};
use voicegraph_engine::session::{EndReason, Limits};
use voicegraph_engine::testing::virtual_time;
use voicegraph_engine::transport::scripted;
use voicegraph_engine::turn::Outcome;
use voicegraph_simulators::{Folder, Script, Simulators};
use voicegraph_tests::proc::Proc;

/// Calls after which everything that is made once has been made: the simulators' memory of calls,
/// the buckets of histograms, the pools of the allocator.
const WARM_UP: u32 = 1_000;

/// What the allocator may take for itself meanwhile. A leak of 128 bytes a call would be above it.
const SLACK_BYTES: u64 = 1 << 20;

/// Completed turns of each call: the greeting and one answer.
const TURNS: u32 = 2;

/// Longer than what closes by and by after a call: a peer's last word, an idle connection.
const SETTLE: Duration = Duration::from_secs(600);

/// Runs calls in a row and looks at what they leave behind.
#[derive(Parser)]
struct Arguments {
    /// How many calls.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(2_000..))]
    calls: u32,

    /// How often each scenario is run.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(2..))]
    repeats: u32,
}

/// What is held at one point.
#[derive(Clone, Copy)]
struct Held {
    resident_bytes: u64,
    tasks: usize,
    descriptors: usize,
}

/// Records that are in the file before the first call. SQLite keeps up to 2 MB of a file's pages in
/// memory: a file that is larger from the start has them full after the first thousand calls, so
/// that what grows then is a leak.
const EARLIER_CALLS: &str = "
    with recursive calls (number) as (
      select 1 union all select number + 1 from calls where number < 50000)
    insert into call_records (session_id, pipeline, started_at)
    select lower(hex(randomblob(16))), 'earlier', '2026-01-01T00:00:00Z' from calls";

/// The records of this run's calls.
const RECORDED: &str = "select count(*) from call_records where pipeline = 'clinic'";

fn main() -> ExitCode {
    let Arguments { calls, repeats } = Arguments::parse();
    match run(calls).and_then(|()| repeats::run(repeats)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("FAILED: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(calls: u32) -> anyhow::Result<()> {
    let folder = tempfile::tempdir().context("no place for the database")?;
    let url = Options::file_url(&folder.path().join("clinic.db"));
    let settings = Options::new(&url).build("dev").map_err(|found| anyhow!("{found:?}"))?;
    let real_time = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    real_time.block_on(Migrator::new(&settings).up(None))?;
    real_time.block_on(number(&settings, EARLIER_CALLS))?;
    virtual_time().block_on(soak(calls, &url))?;
    let recorded = real_time.block_on(number(&settings, RECORDED))?;
    println!("records of calls: {} of {calls}", recorded.unwrap_or(0));
    ensure!(recorded == Some(calls.into()), "records of calls are lost");
    println!("nothing is left behind");
    Ok(())
}

/// Runs SQL on a connection of its own; the one number that it gives, if any.
async fn number(settings: &Settings, sql: &'static str) -> anyhow::Result<Option<i64>> {
    let database = Database::open(settings.clone());
    let mut lease = database.acquire().await?;
    let file = lease.sqlite().context("it is a file")?;
    let number = sqlx::query_scalar(sql).fetch_optional(file).await?;
    Ok(number)
}

async fn soak(calls: u32, database_url: &str) -> anyhow::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let script = std::fs::read_to_string(folder.join("soak.toml"))?;
    let script = Script::from_toml(&script, &Folder(folder))?;
    let caller = script.caller.to_transport();
    let runtime = runtime(script, database_url)?;
    let began = Instant::now();
    let mut warm = None;
    for number in 1..=calls {
        call(&runtime, &caller).await.with_context(|| format!("call {number}"))?;
        if number % WARM_UP == 0 {
            let held = held()?;
            warm.get_or_insert(held);
            print(number, held, began.elapsed())?;
        }
    }
    let warm = warm.expect("there are more calls than those of the warm-up");
    let last = held()?;
    tokio::time::sleep(SETTLE).await;
    judge(warm, last, held()?)
}

/// The runtime of the clinic, with its providers in this process.
fn runtime(script: Script, database_url: &str) -> anyhow::Result<Runtime> {
    let metrics = Metrics::new();
    let pipeline =
        Pipeline::new(Arc::new(graph(database_url)?), &metrics, env!("CARGO_PKG_VERSION"));
    let calls_at = script.caller.calls_at;
    let simulators = Simulators::new(script).in_process();
    let connector = Connector::new(&Roots::Given(Vec::new())).with_simulators(simulators);
    let connector = connector.in_virtual_time();
    let one = Arc::new(Admission::new(1));
    Ok(Runtime::new(pipeline, connector, move || calls_at, one, Limits::default(), 1))
}

/// The clinic in development, whose providers are simulators where no variable says else.
fn graph(database_url: &str) -> anyhow::Result<Graph> {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pipelines/clinic");
    let sources = Sources::read(&folder, Some("dev"));
    let variables = |name: &str| (name == "DATABASE_URL").then(|| database_url.to_owned());
    let compiled = config::compile(&sources, &variables, &voicegraph_nodes::registry());
    let compiled = compiled.map_err(|found| anyhow!("{}", found.to_text(false)))?;
    Ok(compiled.graph)
}

/// Runs one call to its end, which must be the right one.
async fn call(runtime: &Runtime, caller: &scripted::Script) -> anyhow::Result<()> {
    let permit = runtime.admit()?;
    let answered = Arc::new(Completed::default());
    let observers: Vec<Arc<dyn Observer>> = vec![Arc::<Completed>::clone(&answered)];
    let end = runtime.call(permit, scripted::call(caller.clone(), None), observers).await;
    ensure!(end.reason == EndReason::Finished, "ended otherwise: {}", end.reason);
    let turns = answered.0.load(Ordering::Relaxed);
    ensure!(turns == TURNS, "{turns} turns were completed, not {TURNS}");
    Ok(())
}

/// Counts the turns that were played to their end.
#[derive(Default)]
struct Completed(AtomicU32);

impl Observer for Completed {
    fn on(&self, _: Instant, event: &Event) {
        if let Event::TurnEnded { report, .. } = event
            && report.outcome == Outcome::Completed
        {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn held() -> anyhow::Result<Held> {
    Ok(Held {
        resident_bytes: Proc::own().resident_bytes()?,
        tasks: Handle::current().metrics().num_alive_tasks(),
        descriptors: Proc::own().descriptors()?,
    })
}

fn print(number: u32, held: Held, virtual_time: Duration) -> anyhow::Result<()> {
    let Held { resident_bytes, tasks, descriptors } = held;
    let (hours, seconds) =
        (virtual_time.as_secs_f64() / 3_600.0, Proc::own().processor_time()?.as_secs_f64());
    println!(
        "{number:>6} calls, {hours:>5.1} h of talk in {seconds:>6.1} s: {:>6} KiB resident, \
         {tasks} tasks, {descriptors} descriptors",
        resident_bytes / 1_024
    );
    Ok(())
}

/// Compares what is held after the warm-up, after the last call, and once all has settled.
fn judge(warm: Held, last: Held, settled: Held) -> anyhow::Result<()> {
    let grown = last.resident_bytes.saturating_sub(warm.resident_bytes);
    println!(
        "resident memory grew by {} KiB after the first {WARM_UP} calls (budget {} KiB)",
        grown / 1_024,
        SLACK_BYTES / 1_024
    );
    println!("alive tasks at the end: {} (budget 0)", settled.tasks);
    ensure!(grown <= SLACK_BYTES, "resident memory grows");
    ensure!(settled.tasks == 0, "tasks are left alive");
    ensure!(settled.descriptors <= warm.descriptors, "files are left open");
    Ok(())
}
