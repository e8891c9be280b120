//! A server in a namespace of its own, and participants on wires around it.

use std::path::Path;
use std::sync::Arc;

use voicegraph_tests::livekit::{Server, Setup, Version};
use voicegraph_tests::network::{Client, Namespace, SERVER, Star};
use voicegraph_tests::sdk_peer::SdkPeer;
use voicegraph_tests::workspace;

/// Whose media stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stack {
    /// The `livekit` crate on our `libwebrtc`.
    Ours,
    /// The Python SDK on the real one.
    Real,
}

/// The machine in the middle, and the server on it.
pub(crate) struct Site {
    // The server first: it is stopped before its namespace goes.
    pub(crate) server: Arc<Server>,
    pub(crate) star: Star,
    suite: String,
}

/// A participant on its own machine.
pub(crate) struct Member {
    pub(crate) peer: SdkPeer,
    pub(crate) machine: Client,
}

impl Site {
    /// `None`, and `suite` is noted as skipped, where what it needs is missing.
    pub(crate) fn new(suite: &str) -> Option<Self> {
        if !Namespace::can_be_made() {
            workspace::skip(suite, "no root, iproute2 or /dev/net/tun for network namespaces");
            return None;
        }
        let star = Star::new();
        let under = star.server().under().map(str::to_owned).to_vec();
        let setup = Setup { address: SERVER, under, ..Setup::new(Version::New) };
        let server = Server::start_with(suite, &setup)?;
        let server = Arc::new(server);
        Some(Self { server, star, suite: suite.to_owned() })
    }

    /// A participant that has joined `room`, over a wire with that seed. `None`, noted as skipped,
    /// where there is no Python.
    pub(crate) async fn member(
        &self,
        machine: Client,
        stack: Stack,
        room: &str,
        identity: &str,
    ) -> Option<Member> {
        let under = machine.namespace().under();
        let peer = match stack {
            Stack::Ours => {
                let program = Path::new(env!("CARGO_BIN_EXE_participant"));
                SdkPeer::ours_under(program, &under, &self.server, room, identity).await
            }
            Stack::Real => {
                SdkPeer::join_under(&self.suite, &under, &self.server, room, identity).await?
            }
        };
        Some(Member { peer, machine })
    }
}
