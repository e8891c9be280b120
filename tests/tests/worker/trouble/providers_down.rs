//! Providers that fail in a call: the call ends, and says why; the process goes on.

use voicegraph_tests::livekit::{Server, Version};
use voicegraph_tests::simulate::{Simulate, borrowed};
use voicegraph_tests::worker::{Setup, Worker};

use super::caller::Caller;
use super::memory::Memory;
use super::setup;
use crate::call_records::reasons;
use crate::clinic::demo;

const AGENT: &str = "providers";

/// All providers go in the middle of a call.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_providers_go_down() {
    let Some(server) = Server::start("worker providers", Version::New) else { return };
    let (url, simulate) = (server.url(), Simulate::start(None).await);
    let variables = simulate.variables();
    let variables = borrowed(&variables);
    let mut worker = Worker::start(Setup { variables: &variables, ..setup(&url, AGENT) }).await;
    let Some(bob) = Caller::call(&server, AGENT, "before").await else { return };
    bob.asks().await;
    bob.peer.leave().await;
    assert_eq!(worker.left().await.0, "caller_left");
    let before = Memory::of(&worker).await;
    let Some(ada) = Caller::call(&server, AGENT, "down").await else { return };
    ada.asks().await;
    simulate.stop().await;
    ada.sees_the_agent_go().await;
    let (end, reason) = worker.left().await;
    assert_eq!(end, "pipeline_failed");
    assert!(reason.starts_with("the pipeline failed: node "), "{reason}");
    before.again(&worker, "providers down").await;
    assert_eq!(reasons(&worker.sample().open()).await, ["hung_up", "node_failed"]);
    assert_eq!(worker.figures().await.of("voicegraph_worker_failed_total"), 1.0);
}

/// The model is overloaded, call after call: each ends with what the provider said.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_model_is_overloaded() {
    let Some(server) = Server::start("worker overloaded", Version::New) else { return };
    let (url, script) =
        (server.url(), demo("[[openai.faults]]\nkind = \"status\"\nstatus = 503\n"));
    let mut worker = Worker::start(Setup { script, ..Setup::new(&url, AGENT) }).await;
    let mut before = None;
    for room in ["once", "twice"] {
        let Some(ada) = Caller::call(&server, AGENT, room).await else { return };
        ada.writes().await;
        ada.sees_the_agent_go().await;
        let (end, reason) = worker.left().await;
        assert_eq!(end, "pipeline_failed");
        assert!(reason.contains("node \"llm\" failed: openai: HTTP 503"), "{reason}");
        match before {
            None => before = Some(Memory::of(&worker).await),
            Some(before) => Memory::again(before, &worker, "model overloaded").await,
        }
    }
    assert_eq!(reasons(&worker.sample().open()).await, ["node_failed"; 2]);
}
