//! `voicegraph demo`: the clinic's agent and a scripted caller, with no keys and no services. What
//! the caller books is looked up in the database afterwards.

use anyhow::{Context, bail};
use voicegraph_engine::message::AudioFrame;
use voicegraph_engine::transport::{Layout, Recording, scripted};

use crate::args::Demo;
use crate::call::{Call, Pace};
use crate::output::print;
use crate::sample_database::SampleDatabase;
use crate::{clinic, report, simulators, tables};

/// The same call gives the same ids and the same jitter.
const SEED: u64 = 1;

/// Plays the call, prints it, then its tables and what was booked; writes the recording.
pub(crate) fn run(demo: &Demo) -> anyhow::Result<()> {
    let script = simulators::script(&demo.script)?;
    let database = SampleDatabase::make(&demo.database, script.caller.calls_at)?;
    let graph = database.connect(&clinic::sources())?;
    let recording = Recording::create(&demo.output, AudioFrame::VOICE_RATE_HZ, Layout::Both)?;
    let call = Call {
        started_at: script.caller.calls_at,
        seed: SEED,
        graph,
        transport: scripted::call(script.caller.to_transport(), Some(recording.clone())),
        connector: simulators::connector(script),
        pace: if demo.realtime { Pace::Realtime } else { Pace::Virtual },
        http: demo.http,
    };
    let outcome = call.run()?;
    recording.finish().context("the recording is incomplete")?;
    print(&format!("\n{}\n{}\n", tables::turns(&outcome.turns), tables::edges(&outcome.edges)))?;
    if let Some(path) = &demo.report {
        report::write(&outcome, path)?;
    }
    print(&format!(
        "{}\n",
        tables::appointments(&database.appointments(&outcome.end.session_id)?)
    ))?;
    let (sound, rows) = (demo.output.display(), demo.database.display());
    print(&format!("{sound}: the call, the caller left, the agent right\n{rows}: the database\n"))?;
    if !outcome.end.reason.is_ok() {
        bail!("the call ended because {}", outcome.end.reason);
    }
    Ok(())
}
