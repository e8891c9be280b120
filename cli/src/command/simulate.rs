//! `voicegraph simulate`: the providers' stand-ins over TCP.

use std::fs::File;
use std::io::{BufWriter, Write, stdout};

use anyhow::Context;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use voicegraph_simulators::Simulators;

use crate::args::Simulate;
use crate::simulators;
use crate::stop::StopSignals;

/// Serves until it is told to stop. The base URLs are the first line of standard output.
#[tokio::main]
pub(crate) async fn run(arguments: &Simulate) -> anyhow::Result<()> {
    let mut stop_signals = StopSignals::listen();
    let mut simulators = Simulators::new(simulators::script(&arguments.script)?);
    if let Some(path) = &arguments.log_file {
        let file = File::create(path)
            .with_context(|| format!("cannot write the log {}", path.display()))?;
        simulators = simulators.with_log(BufWriter::new(file));
    }
    let listener = TcpListener::bind(arguments.listen)
        .await
        .with_context(|| format!("cannot listen at {}", arguments.listen))?;
    let at = listener.local_addr().context("the listener has no address")?;
    let urls = json!({
        "deepgram": format!("ws://{at}"),
        "openai": format!("http://{at}/v1"),
        "cartesia": format!("ws://{at}"),
    });
    writeln!(stdout().lock(), "{urls}").context("nobody reads the base URLs")?;
    let stop = CancellationToken::new();
    let serving = simulators.listen(listener, stop.clone());
    tokio::pin!(serving);
    tokio::select! {
        biased;
        () = stop_signals.next() => stop.cancel(),
        () = &mut serving => return Ok(()),
    }
    serving.await;
    Ok(())
}
