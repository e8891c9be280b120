//! `voicegraph token`: a token with which one joins a room.

use std::collections::BTreeMap;
use std::time::Duration;

use voicegraph_playground::token::{Guest, job};

use crate::args::Token;
use crate::output::print;

/// Prints the token and nothing else, for scripts.
pub(crate) fn run(arguments: &Token) -> anyhow::Result<()> {
    let metadata = arguments.metadata.as_deref().unwrap_or_default();
    let guest = Guest {
        room: arguments.room.clone(),
        identity: arguments.identity.clone(),
        name: String::new(),
        metadata: String::new(),
        attributes: BTreeMap::new(),
        agents: arguments.agent.iter().map(|name| job(name, metadata)).collect(),
        life: Duration::from_secs(arguments.ttl),
    };
    let token = arguments.keys.keys().guest(&guest)?;
    print(&format!("{}\n", token.expose()))
}
