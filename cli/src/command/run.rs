//! `voicegraph run`: one call on a WAV file.

use anyhow::{Context, bail};
use voicegraph_engine::graph::Graph;
use voicegraph_engine::message::AudioFrame;
use voicegraph_engine::transport::{Layout, Recording, Transport, file, read_voice};

use crate::args::Run;
use crate::call::{Call, Pace};
use crate::output::print;
use crate::{clock, pipeline, report, seed, simulators, tables, variables};

/// Runs the call, prints it and its tables, writes the recording and the report.
pub(crate) fn run(arguments: &Run) -> anyhow::Result<()> {
    let script = simulators::script(&arguments.script)?;
    let voice = read_voice(&arguments.input)?;
    let graph = pipeline::block_on(pipeline::connect(&arguments.pipeline))??;
    let variables = variables::read(graph.variables(), &arguments.variables)?;
    let recording = Recording::create(&arguments.output, AudioFrame::VOICE_RATE_HZ, Layout::Both)?;
    let transport = file::transport(&voice, file::DEFAULT_TAIL, Some(recording.clone()));
    let call = Call {
        started_at: clock::now(),
        // The database remembers earlier calls by their ids.
        seed: seed::from_system(),
        transport: Transport { variables, ..transport },
        pace: pace(&graph, arguments.realtime),
        connector: simulators::connector(script),
        http: arguments.http,
        graph,
    };
    let outcome = call.run()?;
    recording.finish().context("the recording is incomplete")?;
    print(&format!("\n{}\n{}\n", tables::turns(&outcome.turns), tables::edges(&outcome.edges)))?;
    if let Some(path) = &arguments.report {
        report::write(&outcome, path)?;
    }
    if !outcome.end.reason.is_ok() {
        bail!("the call ended because {}", outcome.end.reason);
    }
    Ok(())
}

/// Virtual where that was not excluded and every provider is simulated.
fn pace(graph: &Graph, realtime: bool) -> Pace {
    let endpoints = graph.nodes().iter().flat_map(|node| node.factory.endpoints());
    let real: Vec<String> = endpoints
        .filter(|endpoint| endpoint.simulator().is_none())
        .map(|endpoint| endpoint.to_string())
        .collect();
    if !realtime && real.is_empty() {
        return Pace::Virtual;
    }
    if !realtime {
        eprintln!("voicegraph: at the pace of speech, since {} is real", real.join(", "));
    }
    Pace::Realtime
}
