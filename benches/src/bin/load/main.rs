//! Question: what does the engine add to each turn, and hold for each call, when many calls are on?
//!
//! ```text
//!   load ──websocket: N callers──> voicegraph serve ──three wires──> voicegraph simulate
//!        <────── answers ───────── (pipelines/clinic)                        │
//!        <───────────────────── log of what came and went ───────────────────┘
//! ```
//!
//! Budget: every question is answered, nothing is left after the calls, the edges' figures add up,
//! and a call takes at most 320 KiB. Goals on two cores: the engine adds at most 1 ms to half of
//! the turns and at most 5 ms to 99 % of them, and a call takes 256 KiB. Goals depend on this
//! machine at this moment, so they are shown and not gated.

mod caller;
mod clock;
mod conversation;
mod outside;
mod playout;
mod run;
mod table;
mod trace;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

/// Many calls at once, against processes of their own.
#[derive(Clone, Debug, Parser)]
struct Arguments {
    /// How many calls.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    calls: u32,

    /// How long callers go on asking. Answers in progress are heard out.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(5..=86_400))]
    seconds: u64,

    /// Where the simulators' log is kept. Without it, it is thrown away.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Arguments { calls, seconds, log } = Arguments::parse();
    match run::run(calls, Duration::from_secs(seconds), log).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("load: {error:#}");
            ExitCode::FAILURE
        }
    }
}
