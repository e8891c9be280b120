//! Offers, assignments and terminations out of their order, and jobs that misbehave.

use std::sync::Arc;
use std::time::Duration;

use livekit_protocol::server_message::Message as FromServer;
use livekit_protocol::{Job, JobStatus, RegisterWorkerResponse, WorkerStatus};
use voicegraph_tests::agent::{Desk, Fake, Hired, settings};
use voicegraph_worker::job::{Accepted, Answer, Declined, JobEnd};
use voicegraph_worker::protocol::{Steady, Timing};

use super::{DRAIN_LIMIT, Scene, scene, scene_with};

/// A server asks nobody else while it waits for an answer: so each offer gets one, at once, whether
/// there is a place or not, and also while the worker drains.
#[tokio::test]
async fn no_offer_is_left_without_an_answer() {
    let Scene { mut visit, worker, desk, fake: _fake } = scene(3).await;
    for job in 0..20 {
        visit.ask(&format!("a{job}")).await;
    }
    for job in 0..20 {
        assert_eq!(visit.answer(&format!("a{job}")).await.available, job < 3, "{job}");
    }
    worker.drain.cancel();
    visit.status(WorkerStatus::WsFull).await;
    visit.ask("late").await;
    assert!(!visit.answer("late").await.available);
    let counts = worker.status().counts;
    assert_eq!((counts.offers, counts.accepted), (21, 3));
    assert_eq!((counts.declined.answer, counts.declined.draining), (17, 1));
    assert!(!desk.book().offered.contains(&"late".to_owned()), "a draining worker asks nobody");
}

#[tokio::test]
async fn a_repeated_offer_gets_the_same_answer_and_no_second_place() {
    let Scene { mut visit, worker, desk, fake: _fake } = scene(1).await;
    visit.ask("a").await;
    let first = visit.answer("a").await;
    visit.ask("a").await;
    assert_eq!(visit.answer("a").await, first);
    assert_eq!(first.participant_identity, "agent-a");
    assert_eq!(first.participant_attributes["lk.agent.name"], "clinic");
    assert_eq!(desk.book().offered, ["a"]);
    assert_eq!(worker.status().counts.accepted, 1);
}

#[tokio::test]
async fn an_assignment_that_comes_too_late_starts_nothing() {
    let limit = |timing: &mut Timing| {
        timing.assignment_limit = Duration::from_millis(100);
    };
    let Scene { mut visit, worker, desk, fake: _fake } = scene_with(Desk::new(1), limit).await;
    visit.ask("a").await;
    assert!(visit.answer("a").await.available);
    worker.until("the place to be freed", |status| status.counts.expired == 1).await;
    visit.assign("a").await;
    worker.until("the assignment", |status| status.counts.ignored == 1).await;
    visit.give("b").await;
    let book = desk.until("b", |book| book.running.contains_key("b")).await;
    assert_eq!(book.running.len(), 1);
}

#[tokio::test]
async fn an_assignment_of_an_unknown_job_starts_nothing() {
    let Scene { mut visit, worker, desk, fake: _fake } = scene(1).await;
    visit.assign("never offered").await;
    let answer = RegisterWorkerResponse { worker_id: "AW_2".to_owned(), ..Default::default() };
    visit.send(FromServer::Register(answer)).await;
    worker.until("both to be ignored", |status| status.counts.ignored == 2).await;
    assert!(desk.book().running.is_empty());
    assert_eq!(worker.status().worker_id.as_deref(), Some("AW_1"));
}

#[tokio::test]
async fn a_job_gets_what_it_was_assigned() {
    let Scene { fake, mut visit, desk, worker: _worker } = scene(1).await;
    visit.give("a").await;
    let book = desk.until("a", |book| book.running.contains_key("a")).await;
    let assignment = &book.running["a"];
    assert_eq!((assignment.url.as_str(), &*assignment.token), (fake.url(), "the room's token"));
    assert_eq!(visit.report().await, ("a".to_owned(), JobStatus::JsRunning, String::new()));
}

#[tokio::test]
async fn a_termination_before_the_assignment_frees_the_place() {
    let Scene { mut visit, worker, desk, fake: _fake } = scene(1).await;
    visit.ask("a").await;
    assert!(visit.answer("a").await.available);
    visit.terminate("a").await;
    worker.until("the termination", |status| status.counts.terminated == 1).await;
    assert_eq!(worker.status().waiting_jobs, 0);
    visit.assign("a").await;
    worker.until("the assignment", |status| status.counts.ignored == 1).await;
    visit.give("b").await;
    desk.until("b alone", |book| book.running.keys().eq(["b"])).await;
}

#[tokio::test]
async fn a_termination_at_the_jobs_start_reaches_it() {
    let Scene { mut visit, worker, desk, fake: _fake } = scene(1).await;
    visit.ask("a").await;
    assert!(visit.answer("a").await.available);
    visit.assign("a").await;
    visit.terminate("a").await;
    assert_eq!(visit.report().await.1, JobStatus::JsRunning);
    assert_eq!(visit.report().await.1, JobStatus::JsSuccess);
    assert_eq!(desk.book().terminated, ["a"]);
    assert_eq!(worker.status().active_jobs, 0);
}

#[tokio::test]
async fn a_termination_ends_a_running_job_once() {
    let Scene { mut visit, worker, desk, fake: _fake } = scene(2).await;
    visit.give("a").await;
    visit.give("b").await;
    desk.until("both", |book| book.running.len() == 2).await;
    visit.terminate("a").await;
    desk.until("a's end", |book| book.ended == ["a"]).await;
    visit.terminate("a").await;
    worker.until("the second", |status| status.counts.ignored == 1).await;
    let book = desk.book();
    assert!(book.running.contains_key("b"), "the other goes on");
    assert_eq!((book.terminated.len(), worker.status().counts.terminated), (1, 1));
}

#[tokio::test]
async fn an_end_is_told_with_its_reason() {
    let Scene { mut visit, worker, desk, fake: _fake } = scene(2).await;
    visit.give("a").await;
    visit.give("b").await;
    desk.until("both", |book| book.running.len() == 2).await;
    desk.end("a", JobEnd::Success);
    desk.end("b", JobEnd::Failed("no room".to_owned()));
    let mut reports = Vec::new();
    for _ in 0..4 {
        let (job, status, error) = visit.report().await;
        reports.push((job, status.as_str_name(), error));
    }
    reports.sort();
    let report = |job: &str, status, error: &str| (job.to_owned(), status, error.to_owned());
    let expected = [
        report("a", "JS_RUNNING", ""),
        report("a", "JS_SUCCESS", ""),
        report("b", "JS_FAILED", "no room"),
        report("b", "JS_RUNNING", ""),
    ];
    assert_eq!(reports, expected);
    let counts = worker.status().counts;
    assert_eq!((counts.finished, counts.failed), (1, 1));
}

#[tokio::test]
async fn a_job_that_panics_fails_and_gives_its_place_back() {
    let desk = Desk::with_panicking_jobs(1);
    let Scene { mut visit, worker, fake: _fake, desk: _desk } = scene_with(desk, |_| {}).await;
    for job in ["a", "b"] {
        visit.give(job).await;
        assert_eq!(visit.report().await.1, JobStatus::JsRunning);
        let end = (job.to_owned(), JobStatus::JsFailed, "the job panicked".to_owned());
        assert_eq!(visit.report().await, end);
    }
    assert_eq!(worker.status().counts.failed, 2);
}

/// Panics over each job that it is asked about.
struct Panicking;

impl Answer for Panicking {
    fn offer(&self, job: &Job) -> Result<Accepted, Declined> {
        panic!("as the test wants it, over {}", job.id)
    }

    fn places(&self) -> (u32, u32) {
        (0, 1)
    }
}

#[tokio::test]
async fn a_panic_over_an_offer_declines_it() {
    let fake = Fake::start().await;
    let (settings, load) = (settings(fake.url(), "clinic"), Box::new(Steady(0.0)));
    let worker = Hired::new(settings, Arc::new(Panicking), load, DRAIN_LIMIT);
    let mut visit = fake.register("AW_1").await;
    for job in ["a", "b"] {
        visit.ask(job).await;
        assert!(!visit.answer(job).await.available, "{job}");
    }
    assert_eq!(worker.status().counts.declined.answer, 2);
}
