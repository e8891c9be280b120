//! Two hundred dispatches at once, on two processes of one agent. Nobody is in the rooms: each call
//! waits for its caller, and holds its place.

use std::ops::Range;

use futures_util::future::join_all;
use voicegraph_tests::agent::Api;
use voicegraph_tests::livekit::{LIMIT, Server, Version};
use voicegraph_tests::poll::poll;
use voicegraph_tests::worker::{Setup, Worker};

use super::noisy;

const AGENT: &str = "burst";

/// Two workers with so many places each, which log no line per call.
async fn pair(server: &Server, max_sessions: &str) -> [Worker; 2] {
    let url = server.url();
    let more = ["--log", "error", "--max-sessions", max_sessions];
    let start = || Worker::start(Setup { more: &more, ..Setup::new(&url, AGENT) });
    let (one, other) = tokio::join!(start(), start());
    [one, other]
}

/// A dispatch into each of the rooms, all at once.
async fn dispatch(server: &Server, rooms: Range<u32>) {
    let dispatch = async |room| Api(server).dispatch(AGENT, &format!("burst-{room}"), "").await;
    join_all(rooms.map(dispatch)).await;
}

/// The calls that each of the two was given: assigned, none of them declined or expired before.
async fn given(workers: &[Worker; 2], places: u32) -> [u32; 2] {
    let given = workers.each_ref().map(async |worker| {
        let figures = worker.figures().await;
        let of = |name: &str| figures.of(&format!("voicegraph_worker_{name}")) as u32;
        assert!(of("jobs") <= places && of("expired_total") == 0, "{figures:#?}");
        of("assigned_total")
    });
    join_all(given).await.try_into().unwrap()
}

/// Waits until both together were given so many.
async fn until_given(workers: &[Worker; 2], all: u32, places: u32) -> [u32; 2] {
    let mut last = [0; 2];
    let found = poll(LIMIT, async || {
        last = given(workers, places).await;
        (last.iter().sum::<u32>() >= all).then_some(())
    });
    let found = found.await;
    assert!(found.is_some(), "{last:?} calls instead of {all} after {LIMIT:?}");
    last
}

/// As many places as dispatches: each of them finds one, and both workers get calls. Of two hundred
/// that join at once on a busy machine, the server may give some up; those have had their places.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_calls_find_two_hundred_places() {
    let _noisy = noisy().await;
    let Some(server) = Server::start("worker burst", Version::New) else { return };
    let workers = pair(&server, "100").await;
    dispatch(&server, 0..200).await;
    let given = until_given(&workers, 200, 100).await;
    assert_eq!(given.iter().sum::<u32>(), 200);
    assert!(given.iter().all(|&calls| calls >= 50), "{given:?}");
}

/// More dispatches than places: all places are taken, by both, and no call is one too many. When
/// the calls are over, nothing is left of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_over_capacity_fills_each_place_once() {
    let _noisy = noisy().await;
    let Some(server) = Server::start("worker over capacity", Version::New) else { return };
    let workers = pair(&server, "8").await;
    dispatch(&server, 0..200).await;
    assert_eq!(until_given(&workers, 16, 8).await, [8, 8]);
    for worker in &workers {
        let full = worker.until("all to be full", |it| it.of("voicegraph_worker_full") == 1.0);
        assert_eq!(full.await.of("voicegraph_worker_jobs"), 8.0);
        assert_eq!(worker.active_jobs().await, 8);
    }
    assert_eq!(given(&workers, 8).await, [8, 8]);
    for room in 0..200 {
        Api(&server).delete_room(&format!("burst-{room}")).await;
    }
    join_all(workers.each_ref().map(Worker::until_empty)).await;
}
