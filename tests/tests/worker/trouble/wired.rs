//! A worker on a wire of its own: what it sends and hears can be lost.

use voicegraph_tests::livekit::{KEY, SECRET, Server, Setup as ServerSetup, Version};
use voicegraph_tests::network::{Client, Conditions, Namespace, SERVER, Star};
use voicegraph_tests::program::Process;
use voicegraph_tests::worker::{Setup, Worker};
use voicegraph_tests::workspace::skip;

use super::caller::{Caller, GREETING};
use super::memory::Memory;
use super::setup;

const AGENT: &str = "wired";

/// The seed of the worker's wire.
const SEED: u64 = 5;

/// A server in the middle, the worker on a wire, and callers on another that is good.
pub(super) struct Wired {
    // The processes first: they are stopped before the wires and namespaces go.
    pub(super) worker: Worker,
    server: Server,
    pub(super) near: Client,
    far: Client,
    star: Star,
}

impl Wired {
    /// `None`, and `suite` is noted as skipped, where what it needs is missing.
    pub(super) async fn new(suite: &str) -> Option<Self> {
        if !Namespace::can_be_made() {
            skip(suite, "no root, iproute2 or /dev/net/tun for network namespaces");
            return None;
        }
        let mut star = Star::new();
        let under = star.server().under().map(str::to_owned).to_vec();
        let on_the_wire = ServerSetup { address: SERVER, under, ..ServerSetup::new(Version::New) };
        let server = Server::start_with(suite, &on_the_wire)?;
        let [near, far] = [star.client(SEED), star.client(SEED + 1)];
        let (url, under) = (server.url(), near.namespace().under());
        let worker = Worker::start(Setup { under: &under, ..setup(&url, AGENT) }).await;
        Some(Self { worker, server, near, far, star })
    }

    /// A caller whom the agent has greeted. `None`, noted as skipped, where there is no Python.
    pub(super) async fn caller(&self, room: &str) -> Option<Caller> {
        let caller = Caller::join(&self.far.namespace().under(), &self.server, room).await?;
        let (url, keys) =
            (self.server.url(), [("LIVEKIT_API_KEY", KEY), ("LIVEKIT_API_SECRET", SECRET)]);
        let dispatch = ["dispatch", "--url", &url, "--room", room, "--agent", AGENT];
        let under = self.star.server().under();
        let mut dispatching = Process::start_under(&under, &dispatch, &keys);
        assert!(dispatching.ended().await.success());
        caller.hears(GREETING).await;
        Some(caller)
    }

    /// What the worker holds after a call over a good wire.
    pub(super) async fn warmed(&mut self) -> Option<Memory> {
        let ada = self.caller("before").await?;
        ada.asks().await;
        ada.peer.leave().await;
        assert_eq!(self.worker.left().await.0, "caller_left");
        Some(Memory::of(&self.worker).await)
    }

    /// Sets what happens to the worker's packets, both ways.
    pub(super) fn set(&self, conditions: Conditions) {
        self.near.wire().set(conditions, conditions);
    }
}
