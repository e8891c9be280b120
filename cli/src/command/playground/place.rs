//! Where the call takes place: a livekit-server of our own, or one that runs already.

use anyhow::{Context, bail};
use voicegraph_engine::secret::Secret;
use voicegraph_playground::LocalServer;
use voicegraph_playground::token::Keys;

use crate::args::Playground;

/// A LiveKit server, and how one comes into its rooms.
pub(super) struct Place {
    pub(super) url: String,
    pub(super) access: Access,
    /// Started here; it ends with the playground.
    pub(super) local: Option<LocalServer>,
}

/// How one comes into a room.
pub(super) enum Access {
    /// Tokens are made, and the agent is started here.
    Keys(Keys),
    /// With this token alone; the agent is elsewhere.
    Token(Secret),
}

impl Place {
    /// The server that the arguments name, or one that is started.
    pub(super) async fn find(arguments: &Playground) -> anyhow::Result<Self> {
        let Some(url) = arguments.url.clone() else {
            let local = LocalServer::start(&arguments.livekit_server).await?;
            let (url, access) = (local.url(), Access::Keys(local.keys().clone()));
            return Ok(Self { url, access, local: Some(local) });
        };
        Ok(Self { url, access: access(arguments)?, local: None })
    }

    /// Ends only where the server that was started here does.
    pub(super) async fn lost(&mut self) -> anyhow::Error {
        match &mut self.local {
            None => std::future::pending().await,
            Some(local) => match local.ended().await {
                Ok(status) => anyhow::anyhow!("livekit-server ended with {status}"),
                Err(error) => anyhow::Error::from(error).context("livekit-server is lost"),
            },
        }
    }
}

fn access(arguments: &Playground) -> anyhow::Result<Access> {
    if let Some(token) = &arguments.token {
        return Ok(Access::Token(token.clone()));
    }
    let (Some(key), Some(secret)) = (&arguments.api_key, &arguments.api_secret) else {
        bail!(
            "{} asks for a key: set LIVEKIT_API_KEY and LIVEKIT_API_SECRET, or give a --token",
            arguments.url.as_deref().context("a server is named")?
        );
    };
    Ok(Access::Keys(Keys { key: key.clone(), secret: secret.clone() }))
}
