//! The command line. Every flag has an environment twin; the help text is the manual.

mod database;
mod livekit;
mod worker;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use database::{Database, Down, Migrate, Migration, Seed, Status, Up, Verify};
pub(crate) use livekit::{Dispatch, Playground, Token};
pub(crate) use worker::Worker;

/// Runs, checks, serves and simulates voice pipelines.
///
/// A pipeline is a folder with a `pipeline.toml` and one overlay per environment beside it
/// (`dev.toml`, `staging.toml`, …). Exit codes: 0 all is well, 1 the job failed, 78 the
/// configuration is wrong.
#[derive(Debug, Parser)]
#[command(name = "voicegraph", version, max_term_width = 100)]
pub(crate) struct Arguments {
    /// How logs are written to standard error.
    #[arg(long, global = true, env = "VOICEGRAPH_LOG_FORMAT", default_value = "text")]
    pub(crate) log_format: LogFormat,

    /// Which logs are written: a level (`info`) or a filter (`voicegraph_nodes=debug`). What
    /// callers say is logged at `trace` alone.
    #[arg(long, global = true, env = "VOICEGRAPH_LOG", default_value = "warn")]
    pub(crate) log: String,

    /// A folder to write logs to besides, one file a day; nothing where it is not given.
    #[arg(long, global = true, env = "VOICEGRAPH_LOG_DIR", value_name = "DIR")]
    pub(crate) log_dir: Option<PathBuf>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How logs are written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Plays a call between a scripted caller and the clinic's agent, with no keys and no services.
    Demo(Demo),
    /// Runs one call on a WAV file.
    Run(Run),
    /// Answers calls over websockets, many at once, beside the HTTP endpoints.
    Serve(Serve),
    /// Answers calls in LiveKit rooms, as a LiveKit server hands them out.
    Worker(Worker),
    /// Checks a pipeline as a compiler would, and says what is wrong and what to write instead.
    Check(Check),
    /// Draws a pipeline.
    Graph(Graph),
    /// Lists the kinds of nodes, or prints one kind's ports and options.
    Nodes(Nodes),
    /// Prints the JSON Schema of pipeline files, for editors.
    Schema,
    /// Serves stand-ins of the providers over TCP, and prints their base URLs as JSON.
    Simulate(Simulate),
    /// Makes the schema of the clinic's database, version by version, or takes it back.
    Migrate(Migrate),
    /// Adds sample patients, doctors, shifts and appointments; what is there stays as it is.
    Seed(Seed),
    /// Serves a page on which one talks to an agent in a LiveKit room, and starts all of it.
    Playground(Playground),
    /// Prints a token with which one joins a LiveKit room.
    Token(Token),
    /// Calls an agent into a LiveKit room.
    Dispatch(Dispatch),
}

/// Which pipeline, for which environment.
#[derive(Args, Debug)]
pub(crate) struct Pipeline {
    /// The pipeline's folder, or its `pipeline.toml`.
    #[arg(env = "VOICEGRAPH_PIPELINE")]
    pub(crate) pipeline: PathBuf,

    /// The environment: the name of an overlay beside `pipeline.toml`. Without it the base alone
    /// counts.
    #[arg(long, env = "VOICEGRAPH_ENV", value_name = "NAME")]
    pub(crate) env: Option<String>,
}

/// What the in-process simulators do.
#[derive(Args, Debug)]
pub(crate) struct Script {
    /// The script of the simulators that answer at `sim://` addresses. Without it, the clinic's
    /// demo.
    #[arg(long, env = "VOICEGRAPH_SCRIPT", value_name = "FILE")]
    pub(crate) script: Option<PathBuf>,
}

/// What calls are given.
#[derive(Args, Debug)]
pub(crate) struct Variables {
    /// A variable of the call, as the pipeline declares it in `[variables]`. May be repeated; in
    /// the environment, one a line.
    #[arg(long, env = "VOICEGRAPH_VARIABLES", value_delimiter = '\n', value_name = "NAME=VALUE")]
    pub(crate) variable: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Demo {
    /// Runs at the pace of speech, instead of as fast as it goes.
    #[arg(long, env = "VOICEGRAPH_REALTIME", value_parser = BoolishValueParser::new())]
    pub(crate) realtime: bool,

    /// Where the recording goes: stereo, the caller left, the agent right.
    #[arg(long, env = "VOICEGRAPH_OUTPUT", default_value = "demo.wav", value_name = "FILE")]
    pub(crate) output: PathBuf,

    /// Where the clinic's database goes: a SQLite file, made anew with sample data.
    #[arg(long, env = "VOICEGRAPH_DATABASE", default_value = "demo.db", value_name = "FILE")]
    pub(crate) database: PathBuf,

    /// Where a report goes: turns, edges and the reason of the end, as JSON.
    #[arg(long, env = "VOICEGRAPH_REPORT", value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,

    /// Serves /edges, /turns, /metrics, /graph, /health, /ready and a first page here while the
    /// call lasts.
    #[arg(long, env = "VOICEGRAPH_HTTP", value_name = "ADDR")]
    pub(crate) http: Option<SocketAddr>,

    #[command(flatten)]
    pub(crate) script: Script,
}

#[derive(Args, Debug)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) pipeline: Pipeline,

    /// The caller's voice: a WAV of any rate.
    #[arg(long, env = "VOICEGRAPH_INPUT", value_name = "FILE")]
    pub(crate) input: PathBuf,

    /// Where the recording goes: stereo, the caller left, the agent right.
    #[arg(long, env = "VOICEGRAPH_OUTPUT", value_name = "FILE")]
    pub(crate) output: PathBuf,

    /// Where a report goes: turns, edges and the reason of the end, as JSON.
    #[arg(long, env = "VOICEGRAPH_REPORT", value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,

    /// Serves /edges, /turns, /metrics, /graph, /health, /ready and a first page here while the
    /// call lasts.
    #[arg(long, env = "VOICEGRAPH_HTTP", value_name = "ADDR")]
    pub(crate) http: Option<SocketAddr>,

    /// Runs at the pace of speech. Without it a call whose providers are all simulated runs as fast
    /// as it goes; one with a real provider can go no faster than speech, and does not.
    #[arg(long, env = "VOICEGRAPH_REALTIME", value_parser = BoolishValueParser::new())]
    pub(crate) realtime: bool,

    #[command(flatten)]
    pub(crate) variables: Variables,

    #[command(flatten)]
    pub(crate) script: Script,
}

#[derive(Args, Debug)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) pipeline: Pipeline,

    /// Where calls are answered (websocket, at /call) and the HTTP endpoints served. There is no
    /// authentication: beyond loopback, put a proxy before it.
    #[arg(long, env = "VOICEGRAPH_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDR")]
    pub(crate) listen: SocketAddr,

    /// How many calls are answered at once; one more is refused with 503.
    #[arg(long, env = "VOICEGRAPH_MAX_SESSIONS", default_value = "100", value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) max_sessions: u32,

    /// A web page's origin that may open calls (`https://clinic.example`), besides pages of this
    /// server's own host. Several are parted by commas. Clients that are no browser need none.
    #[arg(long, env = "VOICEGRAPH_ALLOW_ORIGIN", value_delimiter = ',', value_name = "ORIGIN")]
    pub(crate) allow_origin: Vec<String>,

    /// How long calls in progress may go on after SIGTERM or ctrl-c, before they are asked to end.
    #[arg(long, env = "VOICEGRAPH_DRAIN_SECONDS", default_value = "60", value_name = "S")]
    pub(crate) drain_seconds: u64,

    #[command(flatten)]
    pub(crate) variables: Variables,

    #[command(flatten)]
    pub(crate) script: Script,
}

#[derive(Args, Debug)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) pipeline: Pipeline,

    /// How findings are printed.
    #[arg(long, env = "VOICEGRAPH_FORMAT", default_value = "text")]
    pub(crate) format: CheckFormat,

    /// Asks the databases that the pipeline names whether they know its tables. It needs them to
    /// run; without it a check is a matter of the files alone. `run` and `serve` always ask.
    #[arg(long, env = "VOICEGRAPH_CONNECT", value_parser = BoolishValueParser::new())]
    pub(crate) connect: bool,

    /// Takes a warning for an error.
    #[arg(long, env = "VOICEGRAPH_DENY_WARNINGS", value_parser = BoolishValueParser::new())]
    pub(crate) deny_warnings: bool,
}

/// How findings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckFormat {
    /// For people: the place in the file, with a caret.
    Text,
    /// For tools.
    Json,
}

#[derive(Args, Debug)]
pub(crate) struct Graph {
    #[command(flatten)]
    pub(crate) pipeline: Pipeline,

    /// The drawing's format.
    #[arg(long, env = "VOICEGRAPH_FORMAT", default_value = "mermaid")]
    pub(crate) format: GraphFormat,
}

/// A drawing's format.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum GraphFormat {
    /// A picture.
    Svg,
    /// Mermaid, as Markdown pages show it.
    Mermaid,
    /// Graphviz.
    Dot,
    /// For tools.
    Json,
}

#[derive(Args, Debug)]
pub(crate) struct Nodes {
    /// A kind, `deepgram_stt` for example. Without it, all are listed.
    pub(crate) kind: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Simulate {
    /// Where the three providers are served. Port 0 takes a free one.
    #[arg(long, env = "VOICEGRAPH_LISTEN", default_value = "127.0.0.1:0", value_name = "ADDR")]
    pub(crate) listen: SocketAddr,

    #[command(flatten)]
    pub(crate) script: Script,

    /// Where a line is logged for each message received and sent, with its monotonic time.
    #[arg(long, env = "VOICEGRAPH_SIMULATE_LOG", value_name = "FILE")]
    pub(crate) log_file: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_flag_has_an_environment_twin_and_help() {
        let mut command = Arguments::command();
        command.build();
        let mut flags = 0;
        let of_second = command.get_subcommands().flat_map(clap::Command::get_subcommands);
        for command in std::iter::once(&command).chain(command.get_subcommands()).chain(of_second) {
            let own = |flag: &&clap::Arg| !["help", "version"].contains(&flag.get_id().as_str());
            for flag in command.get_arguments().filter(own) {
                let place = format!("{} --{}", command.get_name(), flag.get_id());
                assert!(flag.get_help().is_some(), "{place} says nothing");
                let twin = flag.get_env().map(|name| name.to_string_lossy().into_owned());
                // Others' names are kept where everybody knows them.
                let named = twin.is_some_and(|name| {
                    let known = ["DATABASE_URL", "NUM_CPUS"].contains(&name.as_str());
                    known || name.starts_with("VOICEGRAPH_") || name.starts_with("LIVEKIT_")
                });
                assert!(named || flag.is_positional(), "{place} has no twin");
                flags += 1;
            }
        }
        assert!(flags > 30, "only {flags} were looked at");
    }

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
