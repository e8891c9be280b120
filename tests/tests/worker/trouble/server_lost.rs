//! A worker that loses its server in a call: its connections to it, or all of it.

use voicegraph_tests::cut::Way;
use voicegraph_tests::livekit::{LIMIT, Server, Version};
use voicegraph_tests::sdk_peer::Event;
use voicegraph_tests::worker::{Figures, Worker};
use voicegraph_tests::workspace::say;

use super::caller::{Caller, LOST_MS, WHOLE_DB, told};
use super::memory::Memory;
use super::setup;

const AGENT: &str = "reached";

/// A call before the trouble, after which the worker holds what it always will.
async fn warmed(server: &Server, worker: &mut Worker) -> Option<Memory> {
    let ada = Caller::call(server, AGENT, "before").await?;
    ada.asks().await;
    ada.peer.leave().await;
    assert_eq!(worker.left().await.0, "caller_left");
    Some(Memory::of(worker).await)
}

/// Whether the worker has lost its registration once, and has one.
fn is_back(figures: &Figures) -> bool {
    let of = |name: &str| figures.of(&format!("voicegraph_worker_{name}"));
    (of("registered"), of("reconnects_total")) == (1.0, 1.0)
}

/// The worker's connection and that of the room are cut in the middle of an answer. Sound goes over
/// neither: the answer is heard whole, and the next one too. The worker registers again, and the
/// call goes on to its caller's end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_signal_connection_is_cut() {
    let Some(server) = Server::start("worker cut", Version::New) else { return };
    let way = Way::to(server.http().port()).await;
    let url = format!("ws://127.0.0.1:{}", way.port());
    let mut worker = Worker::start(setup(&url, AGENT)).await;
    let Some(before) = warmed(&server, &mut worker).await else { return };
    let Some(ada) = Caller::call(&server, AGENT, "cut").await else { return };
    let cutting = async {
        way.cut();
        worker.process.line_within("not connected to livekit", LIMIT).await;
        worker.process.line_within("registered with livekit", LIMIT).await;
    };
    let cut = ada.hears_it_all(ada.writes(), cutting).await;
    let figures = worker.figures().await;
    assert!(is_back(&figures), "{figures:#?}");
    let next = ada.hears_it_all(ada.writes(), async {}).await;
    say(&format!("signal cut: the answer is {}; the next one is {}\n", told(&cut), told(&next)));
    for heard in [cut, next] {
        assert!(heard.db < WHOLE_DB && heard.lost_ms <= LOST_MS, "{heard:?}");
    }
    ada.peer.leave().await;
    assert_eq!(worker.left().await.0, "caller_left");
    before.again(&worker, "signal connection cut").await;
}

/// The server restarts: both come back, the call goes on, and new calls come.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_restarts() {
    let Some(server) = Server::start("worker restarted", Version::New) else { return };
    let url = server.url();
    let mut worker = Worker::start(setup(&url, AGENT)).await;
    let Some(before) = warmed(&server, &mut worker).await else { return };
    let Some(ada) = Caller::call(&server, AGENT, "restarted").await else { return };
    server.restart();
    ada.peer.sees(&Event::Reconnected).await;
    worker.until("another registration", is_back).await;
    ada.asks().await;
    ada.peer.leave().await;
    assert_eq!(worker.left().await.0, "caller_left");
    let Some(bob) = Caller::call(&server, AGENT, "after").await else { return };
    bob.peer.leave().await;
    assert_eq!(worker.left().await.0, "caller_left");
    before.again(&worker, "server restarted").await;
}
