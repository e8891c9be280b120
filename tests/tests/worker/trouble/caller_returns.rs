//! A caller whose connection is lost: by a crash, for good or not.

use voicegraph_tests::agent::Api;
use voicegraph_tests::livekit::{LIMIT, Server, Version};
use voicegraph_tests::worker::Worker;

use super::caller::Caller;
use super::memory::Memory;
use super::setup;

const AGENT: &str = "returned";

/// The caller's program crashes, and the caller comes back with another under the same identity:
/// it is the same call, in which the agent knows the caller and does not greet again. At the second
/// crash the caller does not come back, and the call ends with that reason.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_is_lost_may_come_back() {
    let Some(server) = Server::start("worker returned", Version::New) else { return };
    let url = server.url();
    let mut worker = Worker::start(setup(&url, AGENT)).await;
    let mut before = None;
    for room in ["once", "twice"] {
        // Longer than the agent waits, who else would be the second to notice.
        Api(&server).create_room(room, 60).await;
        let Some(ada) = Caller::call(&server, AGENT, room).await else { return };
        ada.asks().await;
        drop(ada);
        worker.process.line_within("\"caller is gone\"", LIMIT).await;
        let again = Caller::join(&[], &server, room).await.unwrap();
        again.asks().await;
        assert_eq!(worker.active_jobs().await, 1);
        drop(again);
        let (end, reason) = worker.left().await;
        assert_eq!(end, "caller_lost");
        assert!(reason.ends_with("did not come back within 20 s"), "{reason}");
        match before {
            None => before = Some(Memory::of(&worker).await),
            Some(before) => Memory::again(before, &worker, "caller crashed").await,
        }
    }
    let figures = worker.figures().await;
    assert_eq!(figures.of("voicegraph_worker_assigned_total"), 2.0);
    assert_eq!(figures.of("voicegraph_worker_failed_total"), 2.0);
}
