//! `voicegraph dispatch`: calls an agent into a room.

use anyhow::Context;
use serde_json::json;

use crate::args::Dispatch;
use crate::output::print;
use crate::twirp::Server;

const CREATE: &str = "livekit.AgentDispatchService/CreateDispatch";

/// Asks the server for the agent, and prints what it made of that as JSON. That there is a worker
/// of that name is not known: the server takes the job all the same.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn run(arguments: &Dispatch) -> anyhow::Result<()> {
    let Dispatch { url, room, agent, .. } = arguments;
    let token = arguments.keys.keys().room_admin(room)?;
    let server = Server::at(url).with_context(|| format!("{url:?} is no address"))?;
    let metadata = arguments.metadata.as_deref().unwrap_or_default();
    let request = json!({ "agent_name": agent, "room": room, "metadata": metadata });
    let made = server.call(CREATE, &token, &request).await;
    let made = made.with_context(|| format!("the agent {agent:?} was not called into {room:?}"))?;
    print(&format!("{made:#}\n"))
}
