//! The `voicegraph` command: reads its arguments, sets up logging, and calls into the rest.

mod args;
mod call;
mod clinic;
mod clock;
mod command;
mod conversation;
mod database;
mod http;
mod logging;
mod output;
mod pipeline;
mod report;
mod runtimes;
mod sample_database;
mod seed;
mod simulators;
mod stop;
mod tables;
mod twirp;
mod variables;

use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};

/// The exit code of a wrong configuration (`EX_CONFIG` of sysexits.h).
const CONFIGURATION: u8 = 78;

/// The version of this program.
const VERSION: &str = env!("CARGO_PKG_VERSION");

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let ended = logging::start(&arguments).map_err(anyhow::Error::from).and_then(|guard| {
        let ended = dispatch(arguments.command);
        drop(guard);
        ended
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<pipeline::Refused>() => {
            eprint!("{error}");
            ExitCode::from(CONFIGURATION)
        }
        Err(error) => {
            eprintln!("voicegraph: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Demo(demo) => command::demo::run(&demo),
        Command::Run(run) => command::run::run(&run),
        Command::Serve(serve) => command::serve::run(&serve),
        Command::Worker(worker) => command::worker::run(&worker),
        Command::Check(check) => command::check::run(&check),
        Command::Graph(graph) => command::graph::run(&graph),
        Command::Nodes(nodes) => command::nodes::run(&nodes),
        Command::Schema => command::schema::run(),
        Command::Simulate(simulate) => command::simulate::run(&simulate),
        Command::Migrate(migrate) => command::migrate::run(&migrate),
        Command::Seed(seed) => command::seed::run(&seed),
        Command::Playground(playground) => command::playground::run(&playground),
        Command::Token(token) => command::token::run(&token),
        Command::Dispatch(dispatch) => command::dispatch::run(&dispatch),
    }
}
