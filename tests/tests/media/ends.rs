//! How it ends: one leaves, the other leaves, the room is closed. The others see it, and nothing is
//! left of it.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use livekit::prelude::*;
use tokio::process::Command;
use tokio::runtime::Handle;
use tokio::time::{interval, timeout};
use voicegraph_tests::livekit::{Guest, LIMIT, Version, record};
use voicegraph_tests::sdk_peer::{Event, SdkPeer};
use voicegraph_tests::tone::Tone;

use crate::stage::{Stage, against_both};

against_both!(one_leaves, the_sdk_leaves, the_room_is_closed);

async fn one_leaves(stage: Stage) {
    let Stage { ada, bob, .. } = stage;
    ada.leave().await;
    bob.sees(&Event::ParticipantDisconnected { from: "ada".to_owned() }).await;
    drop(ada);
    bob.leave().await;
}

async fn the_sdk_leaves(stage: Stage) {
    let Stage { mut ada, bob, .. } = stage;
    bob.leave().await;
    let left = |event| match event {
        RoomEvent::ParticipantDisconnected(it) => Some(it.identity().to_string()),
        _ => None,
    };
    assert_eq!(ada.event("bob's leaving", left).await, "bob");
    assert!(ada.room.remote_participants().is_empty());
    ada.leave().await;
}

async fn the_room_is_closed(stage: Stage) {
    let Stage { mut ada, bob, server } = stage;
    bob.delete_room(server).await;
    let ended = |event| match event {
        RoomEvent::Disconnected { reason } => Some(reason),
        _ => None,
    };
    assert_eq!(ada.event("the end", ended).await, livekit::DisconnectReason::RoomDeleted);
    bob.sees(&Event::Disconnected).await;
}

/// Says to a test that it is alone in its process.
const ALONE: &str = "VOICEGRAPH_ALONE";

/// How often ada joins and leaves after the first time, which makes what lives as long as the
/// process.
const TIMES: usize = 3;

/// How often what is left is counted until it is no more than before.
const STEP: Duration = Duration::from_millis(50);

/// What a process holds. The tasks are those of the test's own runtime, in which all runs.
#[derive(Clone, Copy, Debug)]
struct Held {
    files: usize,
    threads: usize,
    tasks: usize,
}

impl Held {
    fn now() -> Self {
        let count = |folder| fs::read_dir(folder).expect("Linux tells").count();
        let tasks = Handle::current().metrics().num_alive_tasks();
        Self { files: count("/proc/self/fd"), threads: count("/proc/self/task"), tasks }
    }

    fn is_within(self, other: Self) -> bool {
        self.files <= other.files && self.threads <= other.threads && self.tasks <= other.tasks
    }
}

/// In a process of its own, since other tests hold things too.
#[tokio::test]
async fn nothing_is_left() {
    let mut test = Command::new(std::env::current_exe().expect("a running program has a path"));
    test.args(["--exact", "ends::alone", "--nocapture"]).env(ALONE, "1").kill_on_drop(true);
    let output = timeout(3 * LIMIT, test.stdin(Stdio::null()).output()).await;
    let output = output.expect("it ends in time").expect("it is this program");
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

/// The other half of the test above; by itself it does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alone() {
    #[expect(clippy::disallowed_methods, reason = "the test above tells it so")]
    let told = std::env::var_os(ALONE);
    if told.is_none() {
        return;
    }
    let Some(Stage { ada, bob, server }) = Stage::open("alone", Version::New).await else { return };
    bob.publish("theirs", 16_000, 1).await;
    visit(ada, &bob).await;
    let before = Held::now();
    for _ in 0..TIMES {
        visit(Guest::join(server, "alone", "ada").await, &bob).await;
        settle(before).await;
    }
}

/// Sound both ways, and data; then ada leaves.
async fn visit(mut ada: Guest, bob: &SdkPeer) {
    let ours = ada.publish("ours", 16_000, 1).await;
    let subscribed = Event::TrackSubscribed { from: "ada".to_owned(), track: "ours".to_owned() };
    bob.sees(&subscribed).await;
    let theirs = ada.track("theirs").await;
    let tone = [Tone::new(440.0).sound(16_000, 1_000)];
    let heard = tokio::join!(
        record(&theirs, 16_000, 1, 1_000),
        bob.record("ours", 16_000, 1, 1_000),
        ours.play(&tone),
        bob.play("theirs", &tone),
    );
    assert!(heard.0[0].loudness() > 100.0 && heard.1[0].loudness() > 100.0, "both are heard");
    ada.send(b"goodbye".to_vec(), true).await;
    assert_eq!(bob.data().await, (b"goodbye".to_vec(), true));
    ada.leave().await;
    bob.sees(&Event::ParticipantDisconnected { from: "ada".to_owned() }).await;
}

/// Waits until the process holds no more than `before`. Nothing tells when the last task ends, so
/// it is looked at.
async fn settle(before: Held) {
    let settled = timeout(LIMIT, async {
        let mut steps = interval(STEP);
        while !Held::now().is_within(before) {
            steps.tick().await;
        }
    });
    let settled = settled.await;
    assert!(settled.is_ok(), "before: {before:?}, {LIMIT:?} after: {:?}", Held::now());
}
