//! Question: what does a session in a room hold and take, next to the official Python SDK's (real
//! libwebrtc), and does one leave anything behind?
//!
//! ```text
//!   sessions ──starts──> livekit-server
//!            ──starts──> sessions talk (ours)   ─┐ two sessions in each room: each says a tone
//!            ──starts──> scripts/sessions.py    ─┘ and listens to the other's; one load at a time
//!            ──joins and leaves itself, many times
//! ```
//!
//! Budget: a session of ours takes no more of a processor and of memory than one of the Python
//! SDK's, measured in turns by the same server on the same machine; all of them hear each other.
//! After the first hundred of the joins and leaves, memory, descriptors, threads and tasks stay as
//! they are, to the tolerances in [`visits`].

mod load;
mod talk;
mod visits;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::{Parser, Subcommand};
use voicegraph_tests::livekit::{Server, Version};

use load::{Figures, Program};

/// Sessions with sound both ways, and joins and leaves.
#[derive(Clone, Debug, Parser)]
struct Arguments {
    /// How many sessions of ours are on at once, at the end; an even number.
    #[arg(long, default_value_t = 100)]
    sessions: usize,

    /// How many sessions are on at once of ours and of the Python SDK's, in turns; an even number.
    /// One interpreter of Python feeds about six without gaps.
    #[arg(long, default_value_t = 4)]
    beside: usize,

    /// How often ours and the Python SDK's take turns.
    #[arg(long, default_value_t = 3)]
    turns: usize,

    /// How long a load is measured.
    #[arg(long, default_value_t = 15)]
    seconds: u64,

    /// How many joins and leaves.
    #[arg(long, default_value_t = 1_000)]
    visits: usize,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// Talks in rooms until its input ends: the load of ours.
    #[command(hide = true)]
    Talk {
        /// The server.
        url: String,
        /// What the names of the rooms begin with.
        prefix: String,
        /// How many, with two sessions in each.
        rooms: usize,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments.command {
        Some(Command::Talk { url, prefix, rooms }) => talk::talk(url, prefix, *rooms).await,
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
    let server = Server::start("sessions", Version::New).context("Go is missing")?;
    let python = Program::python().await.context("Python is missing")?;
    let ours = Program::ours()?;
    let length = Duration::from_secs(arguments.seconds);
    println!(
        "{:28} {:>8} {:>10} {:>12} {:>16} {:>10} {:>8}",
        "", "sessions", "MiB in all", "KiB each", "% of a core each", "cores", "% heard"
    );
    let mut turns: Vec<[Figures; 2]> = Vec::new();
    for turn in 1..=arguments.turns {
        let rooms = arguments.beside / 2;
        let mut figures = Vec::new();
        for (name, program) in [("ours", &ours), ("Python SDK", &python)] {
            let prefix = format!("{turn}-{name}");
            let measured = program.measure(&server.url(), &prefix, rooms, length).await;
            let measured = measured.with_context(|| name.to_owned())?;
            measured.print(&format!("{name}, turn {turn}"));
            figures.push(measured);
        }
        turns.push([figures[0], figures[1]]);
    }
    let many = ours.measure(&server.url(), "many", arguments.sessions / 2, length).await?;
    many.print("ours, many");
    let [ours, theirs] = [0, 1].map(|side| Figures::median(turns.iter().map(|turn| turn[side])));
    let (memory, processor) =
        (ours.memory_each() / theirs.memory_each(), ours.cores / theirs.cores);
    println!(
        "ours to the Python SDK's: {memory:.2} of the memory, {processor:.2} of the processor"
    );
    visits::visit(&server, arguments.visits).await?;
    ensure!(memory <= 1.0, "a session takes more memory than the Python SDK's");
    ensure!(processor <= 1.0, "a session takes more of the processor than the Python SDK's");
    println!("nothing is left behind");
    Ok(())
}
