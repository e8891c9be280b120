//! The unchanged `livekit` crate on this one, in rooms of a real livekit-server: 1.11.0 with one
//! connection for both ways, 1.8.4 with one for each.

#[path = "support/server.rs"]
mod server;

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use livekit::prelude::*;
use server::{Server, token};
use tokio::sync::mpsc::UnboundedReceiver;

/// How long anything may take. Only a failing test waits as long.
const LIMIT: Duration = Duration::from_secs(20);

struct Guest {
    room: Room,
    events: UnboundedReceiver<RoomEvent>,
}

impl Guest {
    async fn join(server: &Server, identity: &str) -> Self {
        Self::join_by(server, identity, true).await
    }

    async fn join_by(server: &Server, identity: &str, single: bool) -> Self {
        let mut options = RoomOptions::default();
        options.single_peer_connection = single;
        let token = token("clinic", identity);
        let url = server.url();
        let joined = Room::connect(&url, &token, options);
        let joined = within("joining", joined).await;
        let (room, events) =
            joined.unwrap_or_else(|error| panic!("{identity}: {error}\n{}", server.said()));
        Self { room, events }
    }

    /// The first event that `pick` takes.
    async fn event<T>(&mut self, what: &str, pick: impl Fn(RoomEvent) -> Option<T>) -> T {
        within(what, async {
            loop {
                let event = self.events.recv().await.expect("the room is open");
                if let Some(picked) = pick(event) {
                    return picked;
                }
            }
        })
        .await
    }

    async fn data(&mut self) -> (Vec<u8>, DataPacketKind) {
        let pick = |event| match event {
            RoomEvent::DataReceived { payload, kind, .. } => Some((payload.to_vec(), kind)),
            _ => None,
        };
        self.event("data", pick).await
    }

    /// Waits until `identity` is there, so that what is sent reaches it.
    async fn sees(&mut self, identity: &str) {
        let wanted = ParticipantIdentity::from(identity.to_owned());
        if self.room.remote_participants().contains_key(&wanted) {
            return;
        }
        let pick = |event| match event {
            RoomEvent::ParticipantConnected(it) if it.identity() == wanted => Some(()),
            _ => None,
        };
        self.event("the other guest", pick).await;
    }

    async fn send(&self, payload: Vec<u8>, reliable: bool) {
        let packet = DataPacket { payload, reliable, ..Default::default() };
        let participant = self.room.local_participant();
        let sent = participant.publish_data(packet);
        within("sending", sent).await.expect("data is sent");
    }
}

async fn within<T>(what: &str, done: impl Future<Output = T>) -> T {
    let result = tokio::time::timeout(LIMIT, done).await;
    result.unwrap_or_else(|_| panic!("{what} did not come within {LIMIT:?}"))
}

/// Two guests who see one another.
async fn two(server: &Server, single: bool) -> (Guest, Guest) {
    let mut ada = Guest::join_by(server, "ada", single).await;
    let mut bob = Guest::join_by(server, "bob", single).await;
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
    let Some(server) = Server::start("room: one connection", "1.11.0") else { return };
    let (mut ada, mut bob) = two(&server, true).await;
    exchange(&mut ada, &mut bob).await;
    within("leaving", ada.room.close()).await.unwrap();
    within("leaving", bob.room.close()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_guests_exchange_data_over_two_connections() {
    let Some(server) = Server::start("room: two connections", "1.11.0") else { return };
    let (mut ada, mut bob) = two(&server, false).await;
    exchange(&mut ada, &mut bob).await;
    within("leaving", ada.room.close()).await.unwrap();
    within("leaving", bob.room.close()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_server_drops_the_first_offer() {
    let Some(server) = Server::start("room: older server", "1.8.4") else { return };
    let (mut ada, mut bob) = two(&server, true).await;
    exchange(&mut ada, &mut bob).await;
    within("leaving", ada.room.close()).await.unwrap();
    within("leaving", bob.room.close()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_messages_arrive_in_order() {
    let Some(server) = Server::start("room: many messages", "1.11.0") else { return };
    let (ada, mut bob) = two(&server, true).await;
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
    let Some(server) = Server::start("room: attributes", "1.11.0") else { return };
    let (ada, mut bob) = two(&server, true).await;
    let attributes = HashMap::from([("lk.agent.state".to_owned(), "listening".to_owned())]);
    within("attributes", ada.room.local_participant().set_attributes(attributes)).await.unwrap();
    let changed = |event| match event {
        RoomEvent::ParticipantAttributesChanged { changed_attributes, .. } => {
            Some(changed_attributes)
        }
        _ => None,
    };
    let changed = bob.event("attributes", changed).await;
    assert_eq!(changed["lk.agent.state"], "listening");
    within("leaving", ada.room.close()).await.unwrap();
    let left = |event| match event {
        RoomEvent::ParticipantDisconnected(it) => Some(it.identity().to_string()),
        _ => None,
    };
    assert_eq!(bob.event("the other's leaving", left).await, "ada");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_is_resumed_after_its_signalling_was_cut() {
    let Some(server) = Server::start("room: resume", "1.11.0") else { return };
    let (mut ada, mut bob) = two(&server, true).await;
    exchange(&mut ada, &mut bob).await;
    let scenario = livekit::SimulateScenario::SignalReconnect;
    within("the scenario", ada.room.simulate_scenario(scenario)).await.unwrap();
    let back = |event| matches!(event, RoomEvent::Reconnected).then_some(());
    ada.event("the resumed room", back).await;
    exchange(&mut ada, &mut bob).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_alone_joins_and_leaves() {
    let Some(server) = Server::start("room: alone", "1.11.0") else { return };
    let guest = Guest::join(&server, "ada").await;
    assert_eq!(guest.room.connection_state(), ConnectionState::Connected);
    within("leaving", guest.room.close()).await.unwrap();
}
