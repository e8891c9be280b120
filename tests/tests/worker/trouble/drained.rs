//! A worker that is told to end while it has calls.

use std::time::Duration;

use tokio::time::Instant;
use voicegraph_tests::agent::Api;
use voicegraph_tests::livekit::{Server, Version};
use voicegraph_tests::worker::{Setup, Worker};

use super::caller::Caller;
use super::setup;

const AGENT: &str = "drained";

/// The calls that another worker takes over.
const MORE: u32 = 12;

const FULL: &str = "voicegraph_worker_full";
const ASSIGNED: &str = "voicegraph_worker_assigned_total";

/// How long a process that ends at once may take.
const AT_ONCE: Duration = Duration::from_secs(5);

/// Its call goes on, and is answered as before; new ones are the other's; when the call is over the
/// process says goodbye.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_go_on_while_another_worker_takes_the_new_ones() {
    let Some(server) = Server::start("worker drained", Version::New) else { return };
    let url = server.url();
    let mut first = Worker::start(setup(&url, AGENT)).await;
    let Some(ada) = Caller::call(&server, AGENT, "drained").await else { return };
    let second = Worker::start(setup(&url, AGENT)).await;
    first.process.terminate().await;
    first.process.line_with("no more calls; those in progress may end").await;
    assert_eq!(first.figures().await.of(FULL), 1.0);
    for room in 0..MORE {
        Api(&server).dispatch(AGENT, &format!("drained-{room}"), "").await;
    }
    second.until("the new calls", |it| it.of(ASSIGNED) == f64::from(MORE)).await;
    assert_eq!(first.figures().await.of(ASSIGNED), 1.0);
    for _ in 0..2 {
        ada.asks().await;
    }
    ada.peer.leave().await;
    let goodbye = "goodbye: 1 calls ended well, 0 failed, 0 were cut";
    first.process.line_with(goodbye).await;
    assert_eq!(first.process.ended().await.code(), Some(0));
    assert_eq!(second.active_jobs().await, MORE);
}

/// The call has a second to end by itself; then it is ended, and the caller sees the agent go.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_outlast_the_drain_are_ended() {
    let Some(server) = Server::start("worker overdue", Version::New) else { return };
    let url = server.url();
    let more = ["--drain-seconds", "1"];
    let mut worker = Worker::start(Setup { more: &more, ..setup(&url, AGENT) }).await;
    let Some(ada) = Caller::call(&server, AGENT, "overdue").await else { return };
    let told = Instant::now();
    worker.process.terminate().await;
    ada.sees_the_agent_go().await;
    assert!(told.elapsed() >= Duration::from_secs(1), "{:?}", told.elapsed());
    let goodbye = worker.process.line_with("goodbye:").await;
    assert!(goodbye.ends_with("1 were cut"), "{goodbye}");
    assert_eq!(worker.process.ended().await.code(), Some(0));
}

/// Who insists is obeyed: the process ends at once, and says so by its exit code.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_ends_the_process_at_once() {
    let Some(server) = Server::start("worker insisted", Version::New) else { return };
    let url = server.url();
    let mut worker = Worker::start(setup(&url, AGENT)).await;
    let Some(ada) = Caller::call(&server, AGENT, "insisted").await else { return };
    worker.process.terminate().await;
    worker.process.line_with("no more calls; those in progress may end").await;
    let told = Instant::now();
    worker.process.terminate().await;
    let goodbye = worker.process.line_with("goodbye:").await;
    assert!(goodbye.ends_with("1 were cut"), "{goodbye}");
    worker.process.line_with("told twice, ended at once").await;
    assert_eq!(worker.process.ended().await.code(), Some(1));
    assert!(told.elapsed() < AT_ONCE, "{:?}", told.elapsed());
    ada.sees_the_agent_go().await;
}
