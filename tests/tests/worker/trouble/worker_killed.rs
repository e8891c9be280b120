//! A worker that is killed: its own calls are lost, and nothing else.

use voicegraph_tests::agent::Api;
use voicegraph_tests::livekit::{Server, Version};
use voicegraph_tests::worker::{Setup, Worker};
use voicegraph_tests::workspace::say;

use super::caller::{Caller, WHOLE_DB};
use super::{alone, setup};

const AGENT: &str = "killed";

/// While the survivor's caller hears a long answer, the other process is killed: the answer is
/// heard whole, the other's caller sees the agent go, and new calls are the survivor's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_others_calls_go_on_without_a_gap() {
    let _alone = alone().await;
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
    let db = ada.hears_it_all(ada.writes(), killing).await;
    say(&format!("killed: the other call's answer is {db:.2} dB off\n"));
    assert!(db < WHOLE_DB, "{db} dB");
    ada.asks().await;
    Api(&server).dispatch(AGENT, "next", "").await;
    survivor.until_busy(2).await;
    let ended = survivor.figures().await;
    assert_eq!(ended.of("voicegraph_worker_failed_total"), 0.0);
}
