//! How it ends: one leaves, the other leaves, the room is closed. The others see it, and nothing is
//! left of it.

use livekit::prelude::*;
use voicegraph_tests::alone::{self, Held};
use voicegraph_tests::livekit::{Guest, Version, record};
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

/// How often ada joins and leaves after the first time, which makes what lives as long as the
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
    let Some(Stage { ada, bob, server }) = Stage::open("alone", Version::New).await else { return };
    bob.publish("theirs", 16_000, 1).await;
    visit(ada, &bob).await;
    let before = Held::now();
    for _ in 0..TIMES {
        visit(Guest::join(server, "alone", "ada").await, &bob).await;
        before.settle().await;
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
