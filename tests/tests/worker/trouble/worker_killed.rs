//! A worker that is killed: its own calls are lost, and nothing else.

use voicegraph_tests::agent::Api;
use voicegraph_tests::livekit::{Server, Version};
use voicegraph_tests::worker::{Setup, Worker};
use voicegraph_tests::workspace::say;

use super::caller::{Caller, LOST_MS, WHOLE_DB, told};
use super::setup;

const AGENT: &str = "killed";

/// While the survivor's caller hears a long answer, the other process is killed: the answer is
/// heard whole, the other's caller sees the agent go, and new calls are the survivor's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_others_calls_go_on_without_a_gap() {
    let Some(server) = Server::start("worker killed", Version::New) else { return };
    let url = server.url();
    let more = ["--max-sessions", "1"];
    let doomed = Worker::start(Setup { more: &more, ..setup(&url, AGENT) }).await;
    let Some(bob) = Caller::call(&server, AGENT, "doomed").await else { return };
    let survivor = Worker::start(setup(&url, AGENT)).await;
    let Some(ada) = Caller::call(&server, AGENT, "survivor").await else { return };
    assert_eq!((doomed.active_jobs().await, survivor.active_jobs().await), (1, 1));
    let killing = async {
        doomed.process.stop().await;
        bob.sees_the_agent_go().await;
    };
    let heard = ada.hears_it_all(ada.writes(), killing).await;
    say(&format!("killed: the other call's answer is {}\n", told(&heard)));
    assert!(heard.db < WHOLE_DB && heard.lost_ms <= LOST_MS, "{heard:?}");
    ada.asks().await;
    Api(&server).dispatch(AGENT, "next", "").await;
    survivor.until_busy(2).await;
    let ended = survivor.figures().await;
    assert_eq!(ended.of("voicegraph_worker_failed_total"), 0.0);
}
