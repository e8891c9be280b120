//! How calls in rooms end: each end has its name, the agent leaves, and nothing is left.

use std::time::Duration;

use tokio::time::timeout;
use voicegraph_engine::session::EndReason;
use voicegraph_engine::transport::Captured;
use voicegraph_tests::alone::{self, Held};
use voicegraph_tests::livekit::{LIMIT, Server, Version, within};
use voicegraph_tests::sdk_peer::{Event, SdkPeer};
use voicegraph_tests::tone::Tone;
use voicegraph_worker::room::{End, RoomCall, Settings};

use crate::room::{heard, until};
use crate::room_stage::{AGENT, Agent, MICROPHONE, Stage, VOICE, against_both, assignment};

against_both!(
    the_caller_leaves,
    the_room_is_deleted,
    the_agent_is_removed,
    the_job_is_terminated,
    the_worker_ends,
    the_pipeline_ends,
    a_caller_comes_back,
);

fn agent_left() -> Event {
    Event::ParticipantDisconnected { from: AGENT.to_owned() }
}

async fn the_caller_leaves(stage: Stage) {
    stage.ada.leave().await;
    assert_eq!(stage.agent.end().await, End::CallerLeft { reason: "CLIENT_INITIATED" });
}

async fn the_room_is_deleted(stage: Stage) {
    stage.ada.delete_room(stage.server).await;
    assert_eq!(stage.agent.end().await, End::RoomDeleted);
}

async fn the_agent_is_removed(stage: Stage) {
    stage.ada.remove(stage.server, AGENT).await;
    assert_eq!(stage.agent.end().await, End::Removed);
}

async fn the_job_is_terminated(stage: Stage) {
    stage.agent.terminated.cancel();
    assert_eq!(stage.agent.end().await, End::Terminated);
    stage.ada.sees(&agent_left()).await;
}

async fn the_worker_ends(stage: Stage) {
    stage.agent.closed.cancel();
    assert_eq!(stage.agent.end().await, End::Closed);
    stage.ada.sees(&agent_left()).await;
}

/// The agent leaves when its pipeline has ended, and its last words are heard to their end.
async fn the_pipeline_ends(stage: Stage) {
    let Stage { ada, mut agent, .. } = stage;
    let leaving = async {
        agent.say(&Tone::new(440.0).sound(24_000, 1_000)).await;
        agent.finish(EndReason::Finished).await
    };
    let (end, heard) = tokio::join!(leaving, heard(&ada, 200));
    assert_eq!(end, End::Finished);
    assert!(heard >= Duration::from_millis(940), "{heard:?} of 1 s were heard");
    ada.sees(&agent_left()).await;
}

/// One who is there twice is one whose old connection is lost.
async fn a_caller_comes_back(stage: Stage) {
    let Stage { ada, mut agent, server, room } = stage;
    let again = SdkPeer::join("worker", server, &room, "ada").await.unwrap();
    ada.sees(&Event::Disconnected).await;
    again.publish("again", 16_000, 1).await;
    let tone = [Tone::new(440.0).sound(16_000, 1_000)];
    let (sound, ()) = tokio::join!(agent.hear(4_000), again.play("again", &tone));
    assert!(Tone::new(440.0).measure(&sound).is_some(), "ada is heard again");
    again.leave().await;
    assert_eq!(agent.end().await.name(), "caller_left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_come_back_is_lost() {
    let limit = Duration::from_millis(200);
    let settings = Settings { return_limit: limit, ..Settings::default() };
    let opened = Stage::open_with("lost", Version::New, settings).await;
    let Some(Stage { ada, agent, server, .. }) = opened else { return };
    ada.remove(server, "ada").await;
    let lost = End::CallerLost { reason: "PARTICIPANT_REMOVED", limit };
    assert_eq!(agent.end().await, lost);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_comes() {
    let Some(server) = Server::shared("worker nobody", Version::New) else { return };
    let limit = Duration::from_millis(300);
    let settings = Settings { caller_limit: limit, ..Settings::default() };
    let assignment = assignment(server, "nobody");
    let joined = RoomCall::join(&assignment, &settings);
    let end = within("the end", joined).await.err();
    assert_eq!(end, Some(End::NobodyCame { limit }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_that_cannot_be_joined_is_told() {
    let Some(server) = Server::shared("worker refused", Version::New) else { return };
    let mut assignment = assignment(server, "refused");
    assignment.token = "no-token".into();
    let settings = Settings::default();
    let joined = RoomCall::join(&assignment, &settings);
    let end = within("the end", joined).await.err().expect("it is refused");
    assert_eq!(end.name(), "not_joined");
    assert!(!end.to_string().contains("no-token"), "{end}");
}

/// The crate tries for long before it gives up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_is_gone() {
    let Some(server) = Server::start("worker gone", Version::New) else { return };
    let Some(ada) = SdkPeer::join("worker gone", &server, "gone", "ada").await else { return };
    let mut agent = Agent::enter(&server, "gone", Settings::default()).await;
    ada.meets(AGENT).await;
    server.kill();
    let over = async { while agent.source.next().await != Captured::HungUp {} };
    timeout(4 * LIMIT, over).await.expect("the crate gives up");
    assert_eq!(agent.finish(EndReason::HungUp).await.name(), "connection_lost");
}

/// Both come back by themselves, and the pipeline does not notice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_restarts() {
    let Some(server) = Server::start("worker restart", Version::New) else { return };
    let Some(ada) = SdkPeer::join("worker restart", &server, "restart", "ada").await else {
        return;
    };
    ada.publish(MICROPHONE, 16_000, 1).await;
    ada.meter_each(20, VOICE).await;
    let mut agent = Agent::enter(&server, "restart", Settings::default()).await;
    agent.hear(100).await;
    server.restart();
    let tone = Tone::new(440.0).sound(24_000, 500);
    let speaking = async {
        loop {
            agent.say(&tone).await;
        }
    };
    tokio::select! {
        biased;
        () = until(&ada, true) => {}
        () = speaking => {}
    }
    agent.sink.clear();
    let tone = Tone::new(440.0).sound(16_000, 500);
    let speaking = async {
        loop {
            ada.play(MICROPHONE, std::slice::from_ref(&tone)).await;
        }
    };
    let hearing = async { while agent.hear(100).await.loudness() < 500.0 {} };
    let hearing = timeout(LIMIT, hearing);
    tokio::select! {
        biased;
        heard = hearing => heard.expect("ada is heard again"),
        () = speaking => {}
    }
    ada.leave().await;
    assert_eq!(agent.end().await.name(), "caller_left");
}

/// How often the agent comes and goes after the first time, which makes what lives as long as the
/// process.
const TIMES: usize = 3;

/// In a process of its own, since other tests hold things too.
#[tokio::test]
async fn nothing_is_left() {
    alone::run("ends::alone").await;
}

/// The other half of the test above; by itself it does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alone() {
    if !alone::is_alone() {
        return;
    }
    let Some(server) = Server::shared("worker alone", Version::New) else { return };
    let Some(ada) = SdkPeer::join("worker alone", server, "alone", "ada").await else { return };
    ada.publish(MICROPHONE, 16_000, 1).await;
    visit(server, &ada).await;
    // Of a refusal the crate asks more by HTTP, and keeps that connection for the next.
    in_vain(server).await;
    let before = Held::now();
    for _ in 0..TIMES {
        visit(server, &ada).await;
        before.settle().await;
    }
    in_vain(server).await;
    before.settle().await;
    given_up(server).await;
    before.settle().await;
}

/// Calls that are dropped: while they join, and later.
async fn given_up(server: &Server) {
    let assignment = assignment(server, "alone");
    let settings = Settings::default();
    for ms in [1, 20, 50, 100, 200, 1_000] {
        let call = async {
            let _call = RoomCall::join(&assignment, &settings).await;
            std::future::pending::<()>().await;
        };
        assert!(timeout(Duration::from_millis(ms), call).await.is_err());
    }
}

/// A room that is refused, and one to which nobody comes.
async fn in_vain(server: &Server) {
    let limit = Duration::from_millis(300);
    let settings = Settings { caller_limit: limit, ..Settings::default() };
    let mut refused = assignment(server, "in_vain");
    refused.token = "no-token".into();
    for (assignment, name) in
        [(refused, "not_joined"), (assignment(server, "in_vain"), "nobody_came")]
    {
        let joined = within("the end", RoomCall::join(&assignment, &settings)).await;
        assert_eq!(joined.err().unwrap().name(), name);
    }
}

/// Sound both ways, words and a call; then the agent leaves.
async fn visit(server: &Server, ada: &SdkPeer) {
    let mut agent = Agent::enter(server, "alone", Settings::default()).await;
    let tone = Tone::new(440.0).sound(24_000, 500);
    tokio::join!(agent.say(&tone), ada.call(AGENT, "voicegraph.interrupt", "", LIMIT)).1.unwrap();
    agent.hear(500).await;
    assert_eq!(agent.finish(EndReason::Finished).await, End::Finished);
    ada.sees(&agent_left()).await;
}
