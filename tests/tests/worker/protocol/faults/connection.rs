//! Servers that refuse, fall silent, close, or speak something else.

use std::sync::Arc;
use std::time::Duration;

use livekit_protocol::agent_http::GoAway;
use livekit_protocol::server_message::Message as FromServer;
use livekit_protocol::worker_message::Message as ToServer;
use livekit_protocol::{JobStatus, JobType};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use voicegraph_engine::connect::Roots;
use voicegraph_engine::secret::Secret;
use voicegraph_tests::agent::{Desk, Fake, Hired, hire, settings};
use voicegraph_worker::job::JobEnd;
use voicegraph_worker::protocol::{Status, Steady, Timing};

use super::{DRAIN_LIMIT, Scene, scene, scene_with};

/// What livekit-server says to a worker with a wrong token.
const UNAUTHORIZED: &str = "HTTP/1.1 401 Unauthorized\r\ncontent-type: text/plain\r\n\
     content-length: 40\r\nconnection: close\r\n\r\nno permissions to access the room 123456";

/// A field that no server message has: a member that a newer server may add.
const UNKNOWN_MEMBER: &[u8] = &[0x7a, 0x00];

/// The most bytes of a message that a worker reads.
const LONGEST: usize = 4 << 20;

fn quickly(timing: &mut Timing) {
    timing.backoff_step = Duration::from_millis(1);
}

#[tokio::test]
async fn a_worker_comes_with_its_token_and_registers_first() {
    let fake = Fake::start().await;
    let mut settings = settings(&format!("{}/sub/", fake.url()), "clinic");
    settings.worker_token = Some(Secret::new("a b&c"));
    settings.deployment = "blue".to_owned();
    let _worker = hire(settings, &Desk::new(1), DRAIN_LIMIT);
    let (visit, request) = fake.meet().await;
    assert_eq!(visit.path, "/sub/agent?protocol=1&worker_token=a+b%26c");
    assert!(visit.authorization.starts_with("Bearer ey"), "{}", visit.authorization);
    assert_eq!(request.r#type(), JobType::JtRoom);
    assert_eq!((request.agent_name.as_str(), request.deployment.as_str()), ("clinic", "blue"));
    assert_eq!(request.version, env!("CARGO_PKG_VERSION"));
    let permissions = request.allowed_permissions.unwrap();
    assert!(permissions.can_publish && permissions.can_subscribe && !permissions.hidden);
}

#[tokio::test]
async fn a_worker_encrypts_its_connection() {
    let (fake, certificate) = Fake::start_tls().await;
    let (answer, load) = (Arc::new(Desk::new(1)), Box::new(Steady(0.0)));
    let (roots, settings) = (Roots::Given(vec![certificate]), settings(fake.url(), "clinic"));
    let worker = Hired::trusting(&roots, settings, answer, load, DRAIN_LIMIT);
    let mut visit = fake.register("AW_1").await;
    worker.registered().await;
    visit.give("a").await;
}

#[tokio::test]
async fn a_server_with_a_foreign_certificate_gets_no_token() {
    let (fake, _certificate) = Fake::start_tls().await;
    let worker = hire(settings(fake.url(), "clinic"), &Desk::new(1), DRAIN_LIMIT);
    fake.distrusted().await;
    worker.until("the failure to count", |status| status.failures > 0).await;
}

/// A second registration on one connection is a fault of the worker, for which the server drops it.
#[tokio::test]
async fn a_connection_is_registered_once() {
    let status_interval = |timing: &mut Timing| timing.status_interval = Duration::from_millis(5);
    let Scene { mut visit, worker: _worker, .. } = scene_with(Desk::new(1), status_interval).await;
    for _ in 0..50 {
        let message = visit.next().await;
        assert!(!matches!(message, ToServer::Register(_)), "{message:?}");
    }
}

#[tokio::test]
async fn a_job_goes_on_without_its_connection() {
    let Scene { fake, mut visit, worker, desk } = scene(2).await;
    visit.give("a").await;
    visit.give("b").await;
    assert_eq!(visit.report().await.1, JobStatus::JsRunning);
    assert_eq!(visit.report().await.1, JobStatus::JsRunning);
    drop(visit);
    worker.until("the loss", |status| status.worker_id.is_none()).await;
    desk.end("a", JobEnd::Success);
    desk.until("a's end", |book| book.ended == ["a"]).await;
    worker.until("it to be noted", |status| status.counts.finished == 1).await;
    let mut visit = fake.register("AW_2").await;
    let migrated = visit
        .find("the running jobs", |message| match message {
            ToServer::MigrateJob(request) => Some(request.job_ids.clone()),
            _ => None,
        })
        .await;
    assert_eq!(migrated, ["b"]);
    assert_eq!(visit.report().await, ("a".to_owned(), JobStatus::JsSuccess, String::new()));
    let status = worker.until("the new name", |status| status.worker_id.is_some()).await;
    assert_eq!((status.worker_id.as_deref(), status.counts.reconnects), (Some("AW_2"), 1));
    visit.terminate("b").await;
    assert_eq!(visit.report().await, ("b".to_owned(), JobStatus::JsSuccess, String::new()));
    assert_eq!(desk.book().terminated, ["b"]);
}

#[tokio::test]
async fn a_connection_lost_before_the_assignment_frees_the_place() {
    let Scene { fake, mut visit, worker, .. } = scene(1).await;
    visit.ask("a").await;
    assert!(visit.answer("a").await.available);
    drop(visit);
    worker.until("the place to be freed", |status| status.counts.expired == 1).await;
    let mut visit = fake.register("AW_2").await;
    visit.give("b").await;
}

#[tokio::test]
async fn frames_that_are_no_message_are_borne_unless_they_go_on() {
    let Scene { fake, mut visit, worker, .. } = scene(1).await;
    visit.send_raw(Message::Binary(vec![0xff; 100].into())).await;
    visit.send_raw(Message::Binary(UNKNOWN_MEMBER.into())).await;
    visit.send_raw(Message::Text("{\"register\":{\"workerId\":\"AW_9\"}}".into())).await;
    visit.send_raw(Message::Binary(Vec::new().into())).await;
    visit.ask("a").await;
    assert!(visit.answer("a").await.available, "the connection holds");
    assert_eq!(worker.status().counts.undecodable, 4);
    for _ in 0..10 {
        visit.send_raw(Message::Binary(vec![0xff].into())).await;
    }
    visit.left().await;
    fake.register("AW_2").await;
}

/// In one frame or in several: the connection is given up, since the rest would have to be read to
/// find the next message.
#[tokio::test]
async fn a_message_that_is_too_long_is_not_read() {
    let Scene { fake, mut visit, worker, .. } = scene(1).await;
    let borne = |count| move |status: &Status| status.counts.undecodable == count;
    visit.send_raw(Message::Binary(vec![0xff; LONGEST].into())).await;
    worker.until("the longest to be read", borne(1)).await;
    visit.send_in_vain(Message::Binary(vec![0xff; LONGEST + 1].into())).await;
    visit.left().await;
    let mut visit = fake.register("AW_2").await;
    let piece = |length, opcode, is_last| {
        Message::Frame(Frame::message(vec![0xff; length], OpCode::Data(opcode), is_last))
    };
    visit.send_raw(piece(LONGEST / 2, Data::Binary, false)).await;
    visit.send_raw(piece(LONGEST / 2, Data::Continue, true)).await;
    worker.until("the pieces to be read", borne(2)).await;
    visit.send_raw(piece(LONGEST / 2, Data::Binary, false)).await;
    visit.send_in_vain(piece(LONGEST / 2 + 1, Data::Continue, true)).await;
    visit.left().await;
    let _visit = fake.register("AW_3").await;
    let status = worker.until("the third name", |it| it.worker_id.as_deref() == Some("AW_3"));
    assert_eq!(status.await.counts.undecodable, 2);
}

#[tokio::test]
async fn a_refused_worker_says_so_and_goes_on_trying() {
    let fake = Fake::start().await;
    let mut settings = settings(fake.url(), "clinic");
    quickly(&mut settings.timing);
    let worker = hire(settings, &Desk::new(1), DRAIN_LIMIT);
    for _ in 0..16 {
        assert!(!worker.status().is_lost());
        fake.refuse(UNAUTHORIZED).await;
    }
    let status = worker.until("health to tell", |status| status.is_lost()).await;
    assert_eq!((status.failures, status.counts.connect_failures), (16, 16));
    let _visit = fake.register("AW_1").await;
    assert!(!worker.registered().await.is_lost());
}

/// Anything may answer at a URL: other servers, or half of an answer.
#[tokio::test]
async fn what_is_no_livekit_server_is_tried_again() {
    let fake = Fake::start().await;
    let mut settings = settings(fake.url(), "clinic");
    quickly(&mut settings.timing);
    let worker = hire(settings, &Desk::new(1), DRAIN_LIMIT);
    for answer in [
        "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK",
        "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n",
        "SSH-2.0-OpenSSH\r\n",
        "",
    ] {
        fake.refuse(answer).await;
    }
    let _visit = fake.register("AW_1").await;
    assert_eq!(worker.registered().await.counts.connect_failures, 5);
}

#[tokio::test]
async fn a_server_that_closes_at_once_is_tried_less_and_less_often() {
    let fake = Fake::start().await;
    let mut settings = settings(fake.url(), "clinic");
    quickly(&mut settings.timing);
    let worker = hire(settings, &Desk::new(1), DRAIN_LIMIT);
    for failures in 1..=5 {
        drop(fake.register("AW_1").await);
        worker.until("the loss to count", |status| status.failures == failures).await;
    }
    drop(fake.meet().await);
    worker.until("the loss to count", |status| status.failures == 6).await;
}

#[tokio::test]
async fn a_server_that_does_not_register_is_left() {
    let fake = Fake::start().await;
    let mut settings = settings(fake.url(), "clinic");
    settings.timing.register_limit = Duration::from_millis(100);
    quickly(&mut settings.timing);
    let worker = hire(settings, &Desk::new(1), DRAIN_LIMIT);
    let (mut visit, _) = fake.meet().await;
    visit.ask("too early").await;
    visit.left().await;
    let _visit = fake.register("AW_1").await;
    let counts = worker.registered().await.counts;
    assert_eq!((counts.offers, counts.ignored), (0, 1));
}

#[tokio::test]
async fn a_server_that_does_not_upgrade_is_left() {
    let fake = Fake::start().await;
    let mut settings = settings(fake.url(), "clinic");
    settings.timing.open_limit = Duration::from_millis(100);
    quickly(&mut settings.timing);
    let worker = hire(settings, &Desk::new(1), DRAIN_LIMIT);
    worker.until("two failures", |status| status.counts.connect_failures >= 2).await;
}

#[tokio::test]
async fn a_server_that_falls_silent_is_left() {
    let timing = |timing: &mut Timing| {
        timing.ping_interval = Duration::from_millis(50);
        timing.silence_limit = Duration::from_millis(300);
    };
    let Scene { fake, mut visit, worker, .. } = scene_with(Desk::new(1), timing).await;
    let is_ping = |message: &ToServer| matches!(message, ToServer::Ping(_)).then_some(());
    visit.find("a ping", is_ping).await;
    visit.left().await;
    let _visit = fake.register("AW_2").await;
    worker.until("the new name", |status| status.worker_id.as_deref() == Some("AW_2")).await;
}

/// livekit-server pings each 10 s, and gives a worker that does not answer up.
#[tokio::test]
async fn a_servers_ping_is_answered() {
    let Scene { mut visit, worker: _worker, .. } = scene(1).await;
    visit.send_raw(Message::Ping("here".into())).await;
    loop {
        if let Message::Pong(bytes) = visit.raw().await {
            return assert_eq!(bytes, "here");
        }
    }
}

#[tokio::test]
async fn a_server_that_is_about_to_stop_is_left_for_another() {
    let Scene { fake, mut visit, worker, desk } = scene(1).await;
    visit.give("a").await;
    visit.send(FromServer::GoAway(GoAway::default())).await;
    visit.left().await;
    let _visit = fake.register("AW_2").await;
    worker.until("the new name", |status| status.worker_id.as_deref() == Some("AW_2")).await;
    assert!(desk.book().running.contains_key("a"));
}
