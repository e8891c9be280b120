//! Rooms that are reached by relays alone, and over TCP alone: data and sound both ways.

use livekit::prelude::*;
use livekit::webrtc::peer_connection_factory::IceTransportsType;
use voicegraph_tests::livekit::{Guest, Server, Setup, Version, record, within};
use voicegraph_tests::relay::{PASSWORD, Protocol, Relay, USERNAME};
use voicegraph_tests::tone::Tone;

/// What a guest plays, and at which rate in Hz.
const TONE_HZ: f64 = 440.0;
const RATE_HZ: u32 = 48_000;

/// Two guests who see one another.
async fn two(server: &Server, policy: IceTransportsType) -> (Guest, Guest) {
    let mut options = RoomOptions::default();
    options.single_peer_connection = true;
    options.rtc_config.ice_transport_type = policy;
    let mut ada = Guest::join_with(server, "clinic", "ada", options.clone()).await;
    let mut bob = Guest::join_with(server, "clinic", "bob", options).await;
    ada.sees("bob").await;
    bob.sees("ada").await;
    (ada, bob)
}

/// Reliable data of both sizes each way, a lossy message, and sound.
async fn exchange(ada: &mut Guest, bob: &mut Guest) {
    ada.send(b"hello".to_vec(), true).await;
    assert_eq!(bob.data().await.0, b"hello");
    bob.send(vec![7; 14_000], true).await;
    assert_eq!(ada.data().await.0, vec![7; 14_000]);
    ada.send(b"maybe".to_vec(), false).await;
    assert_eq!(bob.data().await.0, b"maybe");
    let tone = Tone::new(TONE_HZ);
    let voice = ada.publish("voice", RATE_HZ, 1).await;
    let track = bob.track("voice").await;
    let sound = [tone.sound(RATE_HZ, 3_000)];
    let (recorded, ()) = tokio::join!(record(&track, RATE_HZ, 1, 2_500), voice.play(&sound));
    let heard = tone.measure(&recorded[0]).expect("the tone is heard");
    assert!(heard.purity > 0.95 && heard.detuned_hz.abs() < 2.0, "{heard:?}");
}

async fn leave(ada: &Guest, bob: &Guest) {
    ada.leave().await;
    bob.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_udp_is_reached_over_tcp() {
    for version in Version::ALL {
        let mut setup = Setup::new(version);
        setup.rtc.push("force_tcp: true".to_owned());
        let Some(server) = Server::start_with("media ice tcp", &setup) else { return };
        let (mut ada, mut bob) = two(&server, IceTransportsType::All).await;
        exchange(&mut ada, &mut bob).await;
        leave(&ada, &bob).await;
    }
}

/// A server that uses loopback alone. With another interface it may offer that one's socket as
/// 127.0.0.1, its `node_ip`: what relays send there then goes to a socket that does not answer.
fn on_loopback() -> Setup {
    let mut setup = Setup::new(Version::New);
    setup.rtc.push("interfaces: {includes: [lo]}".to_owned());
    setup
}

/// Two guests who reach the server by relays alone, and give them back.
async fn by_relay(protocol: Protocol) {
    let suite = format!("media ice relay {protocol:?}");
    let Some(mut relay) = Relay::start(&suite) else { return };
    let mut setup = on_loopback();
    let (name, port) = (protocol.name(), relay.port(protocol));
    let server = format!(
        "turn_servers: [{{host: 127.0.0.1, port: {port}, protocol: {name}, \
         username: {USERNAME}, credential: {PASSWORD}}}]"
    );
    setup.rtc.push(server);
    let Some(server) = Server::start_with(&suite, &setup) else { return };
    let (mut ada, mut bob) = two(&server, IceTransportsType::Relay).await;
    exchange(&mut ada, &mut bob).await;
    assert_eq!(relay.allocations(), 2, "each guest has one");
    leave(&ada, &bob).await;
    within("the relays' end", async {
        while relay.allocations() != 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_is_reached_by_a_relay_over_udp() {
    by_relay(Protocol::Udp).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_is_reached_by_a_relay_over_tcp() {
    by_relay(Protocol::Tcp).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_is_reached_by_a_relay_over_tls() {
    by_relay(Protocol::Tls).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_is_resumed_by_a_relay() {
    let Some(relay) = Relay::start("media ice resumed") else { return };
    let mut setup = on_loopback();
    setup.rtc.push(format!(
        "turn_servers: [{{host: 127.0.0.1, port: {}, protocol: udp, username: {USERNAME}, \
         credential: {PASSWORD}}}]",
        relay.port(Protocol::Udp)
    ));
    let Some(server) = Server::start_with("media ice resumed", &setup) else { return };
    let (mut ada, mut bob) = two(&server, IceTransportsType::Relay).await;
    let scenario = livekit::SimulateScenario::SignalReconnect;
    within("the scenario", ada.room.simulate_scenario(scenario)).await.expect("it is sent");
    let back = |event| matches!(event, RoomEvent::Reconnected).then_some(());
    ada.event("the resumed room", back).await;
    exchange(&mut ada, &mut bob).await;
    leave(&ada, &bob).await;
}

/// The relay that livekit-server itself is, over UDP.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_is_reached_by_the_servers_own_relay() {
    let mut setup = on_loopback();
    let port = std::net::UdpSocket::bind("127.0.0.1:0").and_then(|it| it.local_addr());
    let port = port.expect("loopback has free ports").port();
    setup.more =
        format!("turn:\n  enabled: true\n  udp_port: {port}\n  bind_addresses: [\"127.0.0.1\"]\n");
    let Some(server) = Server::start_with("media ice own relay", &setup) else { return };
    let (mut ada, mut bob) = two(&server, IceTransportsType::Relay).await;
    exchange(&mut ada, &mut bob).await;
    leave(&ada, &bob).await;
}
