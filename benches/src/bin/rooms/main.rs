//! Question: how many calls does one worker carry on this machine, and what does each take?
//!
//! ```text
//!   rooms ──starts──> livekit-server <──────── calls, each in a room ───────> rooms call
//!         ──starts──> voicegraph worker ──> a job for each room                (participants that
//!         ──starts──> voicegraph simulate <── the pipeline's providers          speak and listen)
//! ```
//!
//! It goes up in steps, each with a worker of its own, and says of each what a call takes of memory
//! and processor, what the engine adds to a turn and on each edge, whether anything is left after
//! the calls, and on what the machine is saturated, if it is.
//!
//! Budget: every call of the first step is answered, to the last question; nothing is left of any;
//! and a call takes at most [`CALL_BYTES`](table::CALL_BYTES). What depends on how fast the machine
//! is at this moment is shown and not gated.

mod callers;
mod conversation;
mod figures;
mod measure;
mod saturation;
mod table;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::ensure;
use clap::{Parser, Subcommand};

use figures::Step;

/// Calls in rooms, in steps.
#[derive(Clone, Debug, Parser)]
struct Arguments {
    /// How many calls are on at once, step by step.
    #[arg(long, value_delimiter = ',', default_value = "1,5,10,20,40", value_name = "N,…",
          value_parser = clap::value_parser!(u32).range(1..=1_000))]
    calls: Vec<u32>,

    /// How long a step is measured, once all callers were greeted. Answers in progress are heard
    /// out.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(5..=86_400))]
    seconds: u64,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// Calls agents until its input ends: the callers.
    #[command(hide = true)]
    Call {
        /// The server.
        url: String,
        /// What the names of the rooms begin with.
        prefix: String,
        /// How many.
        calls: usize,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments.command {
        Some(Command::Call { url, prefix, calls }) => callers::call(url, prefix, *calls).await,
        None => run(&arguments).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("FAILED: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let world = measure::World::start().await?;
    let length = Duration::from_secs(arguments.seconds);
    let mut steps = Vec::new();
    for &calls in &arguments.calls {
        let step = if steps.is_empty() { Step::First } else { Step::Later };
        let figures = world.step(calls, length, step).await?;
        print!("{}", table::table(&figures));
        let signs = saturation::signs(&figures);
        let signs = if signs.is_empty() { "nothing".to_owned() } else { signs.join("; ") };
        println!("{:<34} {signs}\n", "what gives way");
        steps.push(figures);
    }
    print!("{}", table::edges(&steps));
    println!("{}", saturation::summary(&steps));
    let held = steps.iter().all(|figures| table::table(figures).holds());
    world.stop().await;
    ensure!(held, "a gate did not hold");
    Ok(())
}
