//! Two guests of our own in a room: data, attributes, a resumed connection, leaving. Against both
//! servers, over one connection and over one for each way.

use livekit::prelude::*;
use voicegraph_tests::livekit::{Guest, Server, Version, within};

/// Two guests who see one another.
async fn two(server: &Server, room: &str, single: bool) -> (Guest, Guest) {
    let mut options = RoomOptions::default();
    options.single_peer_connection = single;
    let mut ada = Guest::join_with(server, room, "ada", options.clone()).await;
    let mut bob = Guest::join_with(server, room, "bob", options).await;
    ada.sees("bob").await;
    bob.sees("ada").await;
    (ada, bob)
}

/// Reliable data of both sizes each way, and a lossy message.
async fn exchange(ada: &mut Guest, bob: &mut Guest) {
    ada.send(b"hello".to_vec(), true).await;
    assert_eq!(bob.data().await, (b"hello".to_vec(), DataPacketKind::Reliable));
    bob.send(vec![7; 14_000], true).await;
    assert_eq!(ada.data().await, (vec![7; 14_000], DataPacketKind::Reliable));
    ada.send(b"maybe".to_vec(), false).await;
    assert_eq!(bob.data().await, (b"maybe".to_vec(), DataPacketKind::Lossy));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_guests_exchange_data_over_one_connection() {
    let Some(server) = Server::shared("room: one connection", Version::New) else { return };
    let (mut ada, mut bob) = two(server, "one-connection", true).await;
    exchange(&mut ada, &mut bob).await;
    ada.leave().await;
    bob.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_guests_exchange_data_over_two_connections() {
    let Some(server) = Server::shared("room: two connections", Version::New) else { return };
    let (mut ada, mut bob) = two(server, "two-connections", false).await;
    exchange(&mut ada, &mut bob).await;
    ada.leave().await;
    bob.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_server_drops_the_first_offer() {
    let Some(server) = Server::shared("room: older server", Version::Old) else { return };
    let (mut ada, mut bob) = two(server, "older", true).await;
    exchange(&mut ada, &mut bob).await;
    ada.leave().await;
    bob.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_messages_arrive_in_order() {
    let Some(server) = Server::shared("room: many messages", Version::New) else { return };
    let (ada, mut bob) = two(server, "many", true).await;
    const MESSAGES: u32 = 500;
    let sending = async {
        for number in 0..MESSAGES {
            let mut payload = vec![0; 4000];
            payload[..4].copy_from_slice(&number.to_be_bytes());
            ada.send(payload, true).await;
        }
    };
    let receiving = async {
        for number in 0..MESSAGES {
            let (payload, _) = bob.data().await;
            assert_eq!(payload[..4], number.to_be_bytes());
        }
    };
    tokio::join!(sending, receiving);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attributes_and_leaving_are_seen() {
    let Some(server) = Server::shared("room: attributes", Version::New) else { return };
    let (ada, mut bob) = two(server, "attributes", true).await;
    ada.set_attributes(&[("lk.agent.state", "listening")]).await;
    let changed = |event| match event {
        RoomEvent::ParticipantAttributesChanged { changed_attributes, .. } => {
            Some(changed_attributes)
        }
        _ => None,
    };
    let changed = bob.event("attributes", changed).await;
    assert_eq!(changed["lk.agent.state"], "listening");
    ada.leave().await;
    let left = |event| match event {
        RoomEvent::ParticipantDisconnected(it) => Some(it.identity().to_string()),
        _ => None,
    };
    assert_eq!(bob.event("the other's leaving", left).await, "ada");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_is_resumed_after_its_signalling_was_cut() {
    let Some(server) = Server::shared("room: resume", Version::New) else { return };
    let (mut ada, mut bob) = two(server, "resume", true).await;
    exchange(&mut ada, &mut bob).await;
    let scenario = livekit::SimulateScenario::SignalReconnect;
    within("the scenario", ada.room.simulate_scenario(scenario)).await.unwrap();
    let back = |event| matches!(event, RoomEvent::Reconnected).then_some(());
    ada.event("the resumed room", back).await;
    exchange(&mut ada, &mut bob).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_alone_joins_and_leaves() {
    let Some(server) = Server::shared("room: alone", Version::New) else { return };
    let guest = Guest::join(server, "alone", "ada").await;
    assert_eq!(guest.room.connection_state(), ConnectionState::Connected);
    guest.leave().await;
}
