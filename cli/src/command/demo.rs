//! `voicegraph demo`: the clinic's agent and a scripted caller, with no keys and no services.

use anyhow::{Context, bail};
use voicegraph_engine::message::AudioFrame;
use voicegraph_engine::transport::{Layout, Recording, scripted};

use crate::args::Demo;
use crate::call::{Call, Pace};
use crate::output::print;
use crate::{clinic, pipeline, report, simulators, tables};

/// Plays the call, prints it, then its tables; writes the recording.
pub(crate) fn run(demo: &Demo) -> anyhow::Result<()> {
    let graph = pipeline::compile_sources(&clinic::sources())?;
    let script = simulators::script(&demo.script)?;
    let recording = Recording::create(&demo.output, AudioFrame::VOICE_RATE_HZ, Layout::Both)?;
    let call = Call {
        started_at: script.caller.calls_at,
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
    let output = demo.output.display();
    print(&format!("{output}: the call, the caller left, the agent right\n"))?;
    if !outcome.end.reason.is_ok() {
        bail!("the call ended because {}", outcome.end.reason);
    }
    Ok(())
}
