//! The arguments of `voicegraph worker`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use voicegraph_engine::secret::Secret;

use super::livekit::{ApiKeys, secret};
use super::{Pipeline, Script};

#[derive(Args, Debug)]
pub(crate) struct Worker {
    /// The folders of the pipelines, or their `pipeline.toml`. Calls are of the first, unless their
    /// dispatch names another: `{"pipeline": "clinic"}`.
    #[arg(env = "VOICEGRAPH_PIPELINES", required = true, value_delimiter = ',')]
    pub(crate) pipelines: Vec<PathBuf>,

    /// The environment: the name of an overlay beside each `pipeline.toml`. Without it the bases
    /// alone count.
    #[arg(long, env = "VOICEGRAPH_ENV", value_name = "NAME")]
    pub(crate) env: Option<String>,

    /// The server: `wss://project.livekit.cloud`, or `ws://127.0.0.1:7880`.
    #[arg(long, env = "LIVEKIT_URL", value_name = "URL")]
    pub(crate) url: String,

    #[command(flatten)]
    pub(crate) keys: ApiKeys,

    /// The name by which jobs are dispatched to this worker. Without it each new room gets a job.
    #[arg(long, env = "LIVEKIT_AGENT_NAME", default_value = "", value_name = "NAME")]
    pub(crate) agent_name: String,

    /// Which deployment of the agent this is, as LiveKit Cloud names it.
    #[arg(long, env = "LIVEKIT_AGENT_DEPLOYMENT", default_value = "", value_name = "NAME")]
    pub(crate) deployment: String,

    /// What LiveKit Cloud gives to the workers that it hosts.
    #[arg(long, env = "LIVEKIT_WORKER_TOKEN", hide_env_values = true, value_name = "TOKEN",
          value_parser = secret)]
    pub(crate) worker_token: Option<Secret>,

    /// Where the HTTP endpoints are served: /, /worker, /health, /ready, /edges, /turns, /metrics,
    /// /graph and a page at /dashboard. There is no authentication: nothing there says what callers
    /// say.
    #[arg(long, env = "VOICEGRAPH_LISTEN", default_value = "0.0.0.0:8081", value_name = "ADDR")]
    pub(crate) listen: SocketAddr,

    /// How many calls there are at once; the server is told that the worker is full.
    #[arg(long, env = "VOICEGRAPH_MAX_SESSIONS", default_value = "100", value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) max_sessions: u32,

    /// The share of its processors, 0 to 1, from which on the worker takes no more calls.
    #[arg(long, env = "VOICEGRAPH_LOAD_THRESHOLD", default_value = "0.7", value_name = "SHARE",
          value_parser = share)]
    pub(crate) load_threshold: f32,

    /// How many processors the worker may use, where its container does not say or says wrong.
    #[arg(long, env = "NUM_CPUS", value_name = "N")]
    pub(crate) num_cpus: Option<f64>,

    /// How long calls in progress may go on after SIGTERM or ctrl-c, before they are ended. The
    /// platform must wait as long before it kills the process.
    #[arg(long, env = "VOICEGRAPH_DRAIN_SECONDS", default_value = "3600", value_name = "S")]
    pub(crate) drain_seconds: u64,

    #[command(flatten)]
    pub(crate) script: Script,
}

impl Worker {
    /// Each of the pipelines, with the environment.
    pub(crate) fn each(&self) -> impl Iterator<Item = Pipeline> {
        let env = &self.env;
        self.pipelines.iter().map(|path| Pipeline { pipeline: path.clone(), env: env.clone() })
    }
}

fn share(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(share) if share > 0.0 && share <= 1.0 => Ok(share),
        _ => Err("write a share above 0, at most 1: 0.7".to_owned()),
    }
}
