//! Ends of the worker itself: drained, over its time, at once.

use std::time::Duration;

use livekit_protocol::{JobStatus, WorkerStatus};
use tokio::time::Instant;
use voicegraph_tests::agent::{Desk, Fake, hire, settings};
use voicegraph_worker::job::JobEnd;
use voicegraph_worker::protocol::Goodbye;

use super::{DRAIN_LIMIT, Scene, scene};

/// Long enough to be seen, short enough for a test.
const SHORT: Duration = Duration::from_millis(200);

#[tokio::test]
async fn a_drain_lets_jobs_end_and_tells_of_them() {
    let Scene { mut visit, worker, desk, fake: _fake } = scene(3).await;
    visit.give("a").await;
    visit.ask("b").await;
    assert!(visit.answer("b").await.available);
    worker.drain.cancel();
    let status = visit.status(WorkerStatus::WsFull).await;
    assert_eq!(status.job_count, 1);
    visit.assign("b").await;
    desk.until("both", |book| book.running.len() == 2).await;
    desk.end("a", JobEnd::Success);
    desk.end("b", JobEnd::Failed("why".to_owned()));
    let mut ends = Vec::new();
    while ends.len() < 2 {
        let (job, status, _) = visit.report().await;
        if status != JobStatus::JsRunning {
            ends.push(job);
        }
    }
    visit.left().await;
    ends.sort();
    assert_eq!(ends, ["a", "b"]);
    let expected = Goodbye { finished: 1, failed: 1, cut: 0, untold: 0 };
    assert_eq!(worker.ended().await, expected);
}

#[tokio::test]
async fn a_drain_without_jobs_or_server_ends_at_once() {
    let Scene { visit, worker, .. } = scene(1).await;
    worker.drain.cancel();
    visit.left().await;
    assert_eq!(worker.ended().await, Goodbye::default());
    let nobody = hire(settings("ws://127.0.0.1:9", "clinic"), &Desk::new(1), DRAIN_LIMIT);
    nobody.drain.cancel();
    assert_eq!(nobody.ended().await, Goodbye::default());
}

#[tokio::test]
async fn a_drain_without_a_server_waits_for_jobs_and_counts_what_was_not_told() {
    let Scene { fake, mut visit, worker, desk } = scene(1).await;
    visit.give("a").await;
    desk.until("a", |book| book.running.len() == 1).await;
    drop((visit, fake));
    worker.until("the loss", |status| status.worker_id.is_none()).await;
    worker.drain.cancel();
    worker.until("the drain", |status| status.draining).await;
    desk.end("a", JobEnd::Success);
    let expected = Goodbye { finished: 1, untold: 1, ..Goodbye::default() };
    assert_eq!(worker.ended().await, expected);
}

#[tokio::test]
async fn jobs_are_told_to_end_when_the_time_for_draining_is_over() {
    let (fake, desk) = (Fake::start().await, Desk::new(1));
    let worker = hire(settings(fake.url(), "clinic"), &desk, SHORT);
    let mut visit = fake.register("AW_1").await;
    visit.give("a").await;
    desk.until("a", |book| book.running.len() == 1).await;
    worker.drain.cancel();
    assert_eq!(visit.report().await.1, JobStatus::JsRunning);
    assert_eq!(visit.report().await.1, JobStatus::JsSuccess);
    let expected = Goodbye { finished: 1, cut: 1, ..Goodbye::default() };
    assert_eq!(worker.ended().await, expected);
    assert_eq!(desk.book().terminated, ["a"]);
}

#[tokio::test]
async fn jobs_that_hear_nobody_are_ended() {
    let (fake, desk) = (Fake::start().await, Desk::with_deaf_jobs(1));
    let mut settings = settings(fake.url(), "clinic");
    settings.timing.cut_grace = SHORT;
    let worker = hire(settings, &desk, SHORT);
    let mut visit = fake.register("AW_1").await;
    visit.give("a").await;
    desk.until("a", |book| book.running.len() == 1).await;
    worker.drain.cancel();
    assert_eq!(visit.report().await.1, JobStatus::JsRunning);
    let end = ("a".to_owned(), JobStatus::JsFailed, "the worker ended".to_owned());
    assert_eq!(visit.report().await, end);
    let expected = Goodbye { failed: 1, cut: 1, ..Goodbye::default() };
    assert_eq!(worker.ended().await, expected);
}

#[tokio::test]
async fn an_end_waits_for_nobody() {
    let Scene { mut visit, worker, desk, fake: _fake } = scene(1).await;
    visit.give("a").await;
    desk.until("a", |book| book.running.len() == 1).await;
    worker.drain.cancel();
    visit.status(WorkerStatus::WsFull).await;
    let began = Instant::now();
    worker.end.cancel();
    let goodbye = worker.ended().await;
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!((goodbye.cut, goodbye.failed), (1, 1));
}
