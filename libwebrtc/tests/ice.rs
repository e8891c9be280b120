//! Ways to a real livekit-server beside UDP from our own addresses.

#[path = "support/relay.rs"]
mod relay;
#[path = "support/server.rs"]
mod server;

use std::future::Future;
use std::time::Duration;

use livekit::prelude::*;
use livekit::webrtc::peer_connection_factory::{IceTransportsType, RtcConfiguration};
use relay::{PASSWORD, Relay, USERNAME};
use server::{Server, token};
use tokio::sync::mpsc::UnboundedReceiver;

/// How long anything may take. Only a failing test waits as long.
const LIMIT: Duration = Duration::from_secs(20);

const SERVER: &str = "1.11.0";

async fn within<T>(what: &str, done: impl Future<Output = T>) -> T {
    let result = tokio::time::timeout(LIMIT, done).await;
    result.unwrap_or_else(|_| panic!("{what} did not come within {LIMIT:?}"))
}

struct Guest {
    room: Room,
    events: UnboundedReceiver<RoomEvent>,
}

impl Guest {
    async fn join(server: &Server, identity: &str, policy: IceTransportsType) -> Self {
        let mut options = RoomOptions::default();
        options.rtc_config = RtcConfiguration::default();
        options.rtc_config.ice_transport_type = policy;
        let token = token("clinic", identity);
        let url = server.url();
        let joined = Room::connect(&url, &token, options);
        let (room, events) = within("joining", joined)
            .await
            .unwrap_or_else(|error| panic!("{identity}: {error}\n{}", server.said()));
        Self { room, events }
    }

    async fn sees(&mut self, identity: &str) {
        let wanted = ParticipantIdentity::from(identity.to_owned());
        within("the other guest", async {
            while !self.room.remote_participants().contains_key(&wanted) {
                self.events.recv().await.expect("the room is open");
            }
        })
        .await;
    }

    async fn send(&self, payload: Vec<u8>, reliable: bool) {
        let packet = DataPacket { payload, reliable, ..Default::default() };
        let participant = self.room.local_participant();
        within("sending", participant.publish_data(packet)).await.expect("data is sent");
    }

    async fn data(&mut self) -> Vec<u8> {
        within("data", async {
            loop {
                let event = self.events.recv().await.expect("the room is open");
                if let RoomEvent::DataReceived { payload, .. } = event {
                    return payload.to_vec();
                }
            }
        })
        .await
    }
}

/// Data both ways between two guests: short, long and lossy.
async fn exchange(server: &Server, policy: IceTransportsType) -> (Guest, Guest) {
    let mut ada = Guest::join(server, "ada", policy).await;
    let mut bob = Guest::join(server, "bob", policy).await;
    ada.sees("bob").await;
    bob.sees("ada").await;
    ada.send(b"hello".to_vec(), true).await;
    assert_eq!(bob.data().await, b"hello");
    bob.send(vec![7; 14_000], true).await;
    assert_eq!(ada.data().await, vec![7; 14_000]);
    ada.send(b"maybe".to_vec(), false).await;
    assert_eq!(bob.data().await, b"maybe");
    (ada, bob)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_udp_is_reached_over_tcp() {
    let lines = "  force_tcp: true\n";
    let Some(server) = Server::start_with("ice: TCP", SERVER, lines) else { return };
    let (ada, bob) = exchange(&server, IceTransportsType::All).await;
    within("leaving", ada.room.close()).await.unwrap();
    within("leaving", bob.room.close()).await.unwrap();
}

/// Two guests who reach the server by relays alone, and give them back.
async fn by_relay(protocol: &str, port: usize) {
    let suite = format!("ice: relay over {protocol}");
    let Some(mut relay) = Relay::start(&suite) else { return };
    let lines = format!(
        "  turn_servers:\n    - host: 127.0.0.1\n      port: {}\n      protocol: {protocol}\n      \
         username: {USERNAME}\n      credential: {PASSWORD}\n",
        relay.ports[port],
    );
    let Some(server) = Server::start_with(&suite, SERVER, &lines) else { return };
    let (ada, bob) = exchange(&server, IceTransportsType::Relay).await;
    assert_eq!(relay.allocations(), 2, "each guest has one");
    within("leaving", ada.room.close()).await.unwrap();
    within("leaving", bob.room.close()).await.unwrap();
    within("the relays' end", async {
        while relay.allocations() != 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_is_reached_by_a_relay_over_udp() {
    by_relay("udp", 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_is_reached_by_a_relay_over_tcp() {
    by_relay("tcp", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_is_reached_by_a_relay_over_tls() {
    by_relay("tls", 2).await;
}
