//! What a worker is started with: where its server is, who it says it is, and its limits of time.
//!
//! The defaults are those of LiveKit's own Python worker (livekit-agents 1.8.9), so that a project
//! sees the same conduct from both.

use std::time::Duration;

use livekit_protocol::ParticipantPermission;
use voicegraph_engine::connect::{Endpoint, EndpointError};
use voicegraph_engine::secret::Secret;

use super::token::Keys;

/// The load from which on a worker takes no more jobs.
pub const LOAD_THRESHOLD: f32 = 0.7;

/// After so many attempts in a row without a registration the health endpoint says so. The Python
/// worker gives up there; this one goes on trying.
pub const MAX_FAILURES: u32 = 16;

/// A worker's settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The server.
    pub server: Server,
    /// With which tokens are made.
    pub keys: Keys,
    /// By which jobs are dispatched explicitly; empty: each new room gets a job.
    pub agent_name: String,
    /// Which deployment this is, for LiveKit Cloud; may be empty. Servers before 1.9 ignore it.
    pub deployment: String,
    /// The program's version, as the server logs it.
    pub version: String,
    /// What agents may do in their rooms.
    pub permissions: ParticipantPermission,
    /// What LiveKit Cloud's hosting gives to its workers (`LIVEKIT_WORKER_TOKEN`).
    pub worker_token: Option<Secret>,
    /// From this load on, 0 to 1, no job is taken; infinity: load does not matter.
    pub load_threshold: f32,
    /// The limits of time.
    pub timing: Timing,
    /// From which the jitter of reconnects comes.
    pub seed: u64,
}

impl Settings {
    /// Settings with defaults: automatic dispatch, all permissions that an agent needs.
    pub fn new(server: Server, keys: Keys) -> Self {
        Self {
            server,
            keys,
            agent_name: String::new(),
            deployment: String::new(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            permissions: permissions(),
            worker_token: None,
            load_threshold: LOAD_THRESHOLD,
            timing: Timing::default(),
            seed: 0,
        }
    }
}

/// What the Python worker asks for: all of a conversation, visible, and marked as an agent.
fn permissions() -> ParticipantPermission {
    #[expect(deprecated, reason = "servers up to 1.8 know an agent by this field")]
    ParticipantPermission {
        can_subscribe: true,
        can_publish: true,
        can_publish_data: true,
        can_update_metadata: true,
        agent: true,
        ..Default::default()
    }
}

/// Where a LiveKit server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    url: String,
    endpoint: Endpoint,
}

impl Server {
    /// Parses `LIVEKIT_URL`: `ws`, `wss`, `http` or `https`; a path is kept.
    ///
    /// # Errors
    /// [`EndpointError`]: what is wrong with it, and what to write instead.
    pub fn parse(url: &str) -> Result<Self, EndpointError> {
        let endpoint = Endpoint::parse(url)?;
        let url = url.trim_end_matches('/');
        let url = match url.split_once("://") {
            Some(("http", rest)) => format!("ws://{rest}"),
            Some(("https", rest)) => format!("wss://{rest}"),
            _ => url.to_owned(),
        };
        Ok(Self { url, endpoint })
    }

    /// As rooms are joined: `ws://` or `wss://`, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// As it is connected to.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }
}

/// How long things may take, and how often they are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Connecting, TLS and the upgrade together.
    pub open_limit: Duration,
    /// From the upgrade to the server's answer to the registration.
    pub register_limit: Duration,
    /// From an accepted offer to its assignment; then the place is free again.
    pub assignment_limit: Duration,
    /// Between two reports of load and status; at once where the worker gets full or free.
    pub status_interval: Duration,
    /// Between two samples of the load.
    pub load_interval: Duration,
    /// Between two pings of ours, in whole seconds as the server is told.
    pub ping_interval: Duration,
    /// A server that says nothing for so long is given up.
    pub silence_limit: Duration,
    /// Handing a message to the socket.
    pub write_limit: Duration,
    /// The pause before a reconnect grows by this with each failure,
    pub backoff_step: Duration,
    /// up to this,
    pub backoff_max: Duration,
    /// plus up to this, so that the workers of a lost server do not come back as one.
    pub backoff_jitter: Duration,
    /// A registration that lasts so long was a success, and failures are counted anew.
    pub steady_after: Duration,
    /// What jobs get to end, once they are told to.
    pub cut_grace: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            open_limit: Duration::from_secs(10),
            register_limit: Duration::from_secs(10),
            assignment_limit: Duration::from_millis(7_500),
            status_interval: Duration::from_millis(2_500),
            load_interval: Duration::from_millis(500),
            ping_interval: Duration::from_secs(10),
            silence_limit: Duration::from_secs(30),
            write_limit: Duration::from_secs(5),
            backoff_step: Duration::from_secs(2),
            backoff_max: Duration::from_secs(10),
            backoff_jitter: Duration::from_secs(1),
            steady_after: Duration::from_secs(10),
            cut_grace: Duration::from_secs(10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_becomes_one_for_rooms_and_one_for_workers() {
        for (text, url, authority, path) in [
            ("ws://127.0.0.1:7880", "ws://127.0.0.1:7880", "127.0.0.1:7880", "/agent"),
            ("http://host/", "ws://host", "host", "/agent"),
            ("https://a.livekit.cloud", "wss://a.livekit.cloud", "a.livekit.cloud", "/agent"),
            ("wss://host/sub/path/", "wss://host/sub/path", "host", "/sub/path/agent"),
        ] {
            let server = Server::parse(text).expect(text);
            assert_eq!(server.url(), url);
            assert_eq!(server.endpoint().authority(), authority);
            assert_eq!(server.endpoint().path("/agent"), path);
        }
    }

    #[test]
    fn settings_show_no_secret() {
        let keys = Keys { key: "devkey".to_owned(), secret: Secret::new("s3cret") };
        let mut settings = Settings::new(Server::parse("ws://host").unwrap(), keys);
        settings.worker_token = Some(Secret::new("s3cret too"));
        assert!(!format!("{settings:?}").contains("s3cret"));
    }
}
