//! The arguments of the commands that speak with a LiveKit server.

use std::path::PathBuf;

use clap::Args;
use voicegraph_engine::secret::Secret;
use voicegraph_worker::protocol::Keys;

use super::Script;

/// With which a project's tokens are made.
#[derive(Args, Debug)]
pub(crate) struct ApiKeys {
    /// The name of the project's key.
    #[arg(long, env = "LIVEKIT_API_KEY", hide_env_values = true, value_name = "KEY")]
    api_key: String,

    /// The key's secret. Give it by the environment: others can read a command line.
    #[arg(long, env = "LIVEKIT_API_SECRET", hide_env_values = true, value_name = "SECRET",
          value_parser = secret)]
    api_secret: Secret,
}

#[derive(Args, Debug)]
pub(crate) struct Token {
    #[command(flatten)]
    pub(crate) keys: ApiKeys,

    /// The room that is joined with the token; joining creates it where it does not exist.
    #[arg(long, env = "VOICEGRAPH_ROOM", value_name = "ROOM")]
    pub(crate) room: String,

    /// Who joins: unique within the room.
    #[arg(long, env = "VOICEGRAPH_IDENTITY", value_name = "IDENTITY")]
    pub(crate) identity: String,

    /// The agent that is called into the room when joining creates it.
    #[arg(long, env = "VOICEGRAPH_AGENT", value_name = "NAME")]
    pub(crate) agent: Option<String>,

    /// What that agent is told: JSON.
    #[arg(long, env = "VOICEGRAPH_METADATA", value_name = "JSON", requires = "agent",
          value_parser = json)]
    pub(crate) metadata: Option<String>,

    /// How many seconds the token may be used for joining.
    #[arg(long, env = "VOICEGRAPH_TTL", default_value = "3600", value_name = "S",
          value_parser = clap::value_parser!(u64).range(1..=MAX_TTL_S))]
    pub(crate) ttl: u64,
}

/// A token for longer than 30 days is a mistake in the unit.
const MAX_TTL_S: u64 = 30 * 24 * 3600;

#[derive(Args, Debug)]
pub(crate) struct Playground {
    /// The pipeline's folder, or its `pipeline.toml`. Without it, the clinic with sample data and
    /// simulated providers.
    #[arg(env = "VOICEGRAPH_PIPELINE")]
    pub(crate) pipeline: Option<PathBuf>,

    /// The environment: the name of an overlay beside `pipeline.toml`.
    #[arg(long, env = "VOICEGRAPH_ENV", value_name = "NAME", requires = "pipeline")]
    pub(crate) env: Option<String>,

    #[command(flatten)]
    pub(crate) script: Script,

    /// The page's port on 127.0.0.1; 0 takes a free one.
    #[arg(long, env = "VOICEGRAPH_PORT", default_value = "8080", value_name = "PORT")]
    pub(crate) port: u16,

    /// The name by which the page calls the agent.
    #[arg(long, env = "VOICEGRAPH_AGENT", default_value = "playground", value_name = "NAME")]
    pub(crate) agent: String,

    /// The program of a livekit-server, which is started where no URL is given.
    #[arg(
        long,
        env = "VOICEGRAPH_LIVEKIT_SERVER",
        default_value = "livekit-server",
        value_name = "FILE"
    )]
    pub(crate) livekit_server: PathBuf,

    /// A LiveKit server that runs already, `wss://project.livekit.cloud` for example: with its key
    /// and secret the agent is its worker; with a token the page joins, and the agent is elsewhere.
    #[arg(long, env = "LIVEKIT_URL", value_name = "URL")]
    pub(crate) url: Option<String>,

    /// The name of the server's key.
    #[arg(long, env = "LIVEKIT_API_KEY", hide_env_values = true, value_name = "KEY")]
    pub(crate) api_key: Option<String>,

    /// The key's secret. Give it by the environment: others can read a command line.
    #[arg(long, env = "LIVEKIT_API_SECRET", hide_env_values = true, value_name = "SECRET",
          value_parser = secret)]
    pub(crate) api_secret: Option<Secret>,

    /// With which the page joins a room of that server; no agent is started then.
    #[arg(long, env = "LIVEKIT_TOKEN", hide_env_values = true, value_name = "TOKEN",
          requires = "url", value_parser = secret)]
    pub(crate) token: Option<Secret>,
}

#[derive(Args, Debug)]
pub(crate) struct Dispatch {
    /// The server: `wss://project.livekit.cloud`, or `http://127.0.0.1:7880`.
    #[arg(long, env = "LIVEKIT_URL", value_name = "URL")]
    pub(crate) url: String,

    #[command(flatten)]
    pub(crate) keys: ApiKeys,

    /// The room that the agent is called into; it is created where it does not exist.
    #[arg(long, env = "VOICEGRAPH_ROOM", value_name = "ROOM")]
    pub(crate) room: String,

    /// The agent's name.
    #[arg(long, env = "VOICEGRAPH_AGENT", value_name = "NAME")]
    pub(crate) agent: String,

    /// What the agent is told: JSON.
    #[arg(long, env = "VOICEGRAPH_METADATA", value_name = "JSON", value_parser = json)]
    pub(crate) metadata: Option<String>,
}

impl ApiKeys {
    /// The same, for making tokens.
    pub(crate) fn keys(&self) -> Keys {
        Keys { key: self.api_key.clone(), secret: self.api_secret.clone() }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the shape that clap asks for")]
pub(super) fn secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::new(text))
}

/// The text as it is, where it is JSON: a lost quote is told here, not by an agent in a call.
fn json(text: &str) -> Result<String, String> {
    match serde_json::from_str::<serde::de::IgnoredAny>(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => {
            Err(format!("no JSON ({error}); write for example '{{\"pipeline\":\"clinic\"}}'"))
        }
    }
}
