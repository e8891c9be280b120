//! What is gathered: which candidates, which errors, and when it is complete.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use livekit::webrtc::data_channel::DataChannelInit;
use livekit::webrtc::peer_connection::{
    IceCandidateError, IceGatheringState, OfferOptions, PeerConnection,
};
use livekit::webrtc::peer_connection_factory::{
    IceServer, IceTransportsType, PeerConnectionFactory, RtcConfiguration,
};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::watch;
use voicegraph_tests::livekit::within;
use voicegraph_tests::relay::{PASSWORD, Protocol, Relay, USERNAME};

/// What nobody may print.
const SECRET: &str = "hunter2";

/// What a connection has told.
#[derive(Default)]
struct Told {
    candidates: Vec<String>,
    errors: Vec<IceCandidateError>,
    states: Vec<IceGatheringState>,
}

struct Gathering {
    connection: PeerConnection,
    told: watch::Sender<Told>,
}

impl Gathering {
    /// A connection that has begun to gather.
    async fn begin(servers: Vec<IceServer>, policy: IceTransportsType) -> Self {
        let config = configuration(servers, policy);
        let connection = PeerConnectionFactory::default().create_peer_connection(config).unwrap();
        let told = watch::Sender::default();
        let it = told.clone();
        connection.on_ice_candidate(Some(Box::new(move |candidate| {
            it.send_modify(|told: &mut Told| told.candidates.push(candidate.candidate()));
        })));
        let it = told.clone();
        connection.on_ice_candidate_error(Some(Box::new(move |error| {
            it.send_modify(|told| told.errors.push(error));
        })));
        let it = told.clone();
        connection.on_ice_gathering_state_change(Some(Box::new(move |state| {
            it.send_modify(|told| told.states.push(state));
        })));
        connection.create_data_channel("data", DataChannelInit::default()).unwrap();
        let offer = connection.create_offer(OfferOptions::default()).await.unwrap();
        connection.set_local_description(offer).await.unwrap();
        Self { connection, told }
    }

    /// What was told when it has been complete `times` times.
    async fn complete(&self, times: usize) -> Told {
        within("the end of gathering", async {
            let is_complete = |told: &Told| {
                let complete = told.states.iter().filter(|it| **it == IceGatheringState::Complete);
                complete.count() == times
            };
            self.told.subscribe().wait_for(is_complete).await.expect("this is its sender");
        })
        .await;
        self.told.send_replace(Told::default())
    }
}

fn configuration(servers: Vec<IceServer>, policy: IceTransportsType) -> RtcConfiguration {
    let mut config = RtcConfiguration::default();
    config.ice_servers = servers;
    config.ice_transport_type = policy;
    config
}

fn server(urls: &[String], password: &str) -> IceServer {
    let (username, password) = (USERNAME.to_owned(), password.to_owned());
    IceServer { urls: urls.to_vec(), username, password }
}

/// The words of a candidate's line from its protocol on, without priority.
fn kinds(candidates: &[String]) -> BTreeMap<String, usize> {
    let mut kinds = BTreeMap::new();
    for line in candidates {
        let fields: Vec<&str> = line.split(' ').collect();
        *kinds.entry(format!("{} {}", fields[2], fields[7])).or_default() += 1;
    }
    kinds
}

/// A server of STUN that sees everybody at 198.51.100.7:4321.
async fn stun_server() -> SocketAddr {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut request = [0; 64];
        while let Ok((_, from)) = socket.recv_from(&mut request).await {
            let mut answer = vec![0x01, 0x01, 0, 12];
            answer.extend(&request[4..20]);
            answer.extend([0, 1, 0, 8, 0, 1, 0x10, 0xe1, 198, 51, 100, 7]);
            let _ = socket.send_to(&answer, from).await;
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_own_addresses_and_those_that_a_server_sees() {
    let stun = format!("stun:{}", stun_server().await);
    let gathering = Gathering::begin(vec![server(&[stun], "")], IceTransportsType::All).await;
    let told = gathering.complete(1).await;
    assert!(told.errors.is_empty(), "{:?}", told.errors);
    let states = [IceGatheringState::Gathering, IceGatheringState::Complete];
    assert_eq!(told.states, states);
    let active = told.candidates.iter().find(|it| it.contains(" tcp ")).expect("there is one");
    assert!(active.contains(" 9 typ host tcptype active"), "{active}");
    let seen = told.candidates.iter().find(|it| it.contains(" srflx ")).expect("there is one");
    assert!(seen.contains(" 198.51.100.7 4321 typ srflx raddr "), "{seen}");
    assert!(told.candidates.iter().any(|it| it.contains(" udp ") && it.contains("typ host")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn relays_alone_are_told_where_nothing_else_may_be_used() {
    let Some(mut relay) = Relay::start("media ice relays alone") else { return };
    let port = |protocol| relay.port(protocol);
    let urls = [
        format!("turn:127.0.0.1:{}?transport=udp", port(Protocol::Udp)),
        format!("turn:localhost:{}?transport=tcp", port(Protocol::Tcp)),
        format!("turns:127.0.0.1:{}?transport=tcp", port(Protocol::Tls)),
    ];
    let servers = vec![server(&urls, PASSWORD)];
    let gathering = Gathering::begin(servers, IceTransportsType::Relay).await;
    let told = gathering.complete(1).await;
    assert!(told.errors.is_empty(), "{:?}", told.errors);
    assert_eq!(kinds(&told.candidates), BTreeMap::from([("udp relay".to_owned(), 3)]));
    assert!(told.candidates.iter().all(|it| it.contains(" raddr ") && it.contains(" rport ")));
    assert_eq!(relay.allocations(), 3);
    drop(gathering);
    within("the relays' end", async {
        while relay.allocations() != 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_are_named_later_are_asked() {
    let Some(mut relay) = Relay::start("media ice named later") else { return };
    let gathering = Gathering::begin(Vec::new(), IceTransportsType::All).await;
    let told = gathering.complete(1).await;
    assert!(!kinds(&told.candidates).contains_key("udp relay"));
    let url = format!("turn:127.0.0.1:{}", relay.port(Protocol::Udp));
    let servers = vec![server(&[url], PASSWORD)];
    let configure = |servers, policy| {
        gathering.connection.set_configuration(configuration(servers, policy)).unwrap();
    };
    configure(servers.clone(), IceTransportsType::All);
    let told = gathering.complete(1).await;
    assert_eq!(kinds(&told.candidates), BTreeMap::from([("udp relay".to_owned(), 1)]));
    configure(servers, IceTransportsType::Relay);
    let told = gathering.complete(1).await;
    assert!(told.candidates.is_empty(), "the relay is kept: {:?}", told.candidates);
    assert_eq!(relay.allocations(), 1);
    configure(Vec::new(), IceTransportsType::All);
    gathering.complete(1).await;
    within("the relay's end", async {
        while relay.allocations() != 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Addresses at which nobody answers, garbage comes, or nobody listens.
async fn bad_servers() -> Vec<(String, i32)> {
    let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let babbling = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let stream = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let closed = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
    let gone = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
    let bad = vec![
        (format!("turn:{}", silent.local_addr().unwrap()), 701),
        (format!("turn:{}", babbling.local_addr().unwrap()), 701),
        (format!("turn:{}?transport=tcp", stream.local_addr().unwrap()), 701),
        (format!("turn:{closed}"), 701),
        (format!("turns:{gone}"), 701),
        ("turn:nowhere.invalid".to_owned(), 701),
        ("http://example.org".to_owned(), 400),
    ];
    tokio::spawn(async move {
        let _silent = silent;
        let mut request = [0; 64];
        while let Ok((_, from)) = babbling.recv_from(&mut request).await {
            let _ = babbling.send_to(&[0x40, 0, 0, 1, 7], from).await;
            let _ = babbling.send_to(b"\x01\x13\x00\x04garbage", from).await;
        }
    });
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = stream.accept().await {
            let _ = stream.write_all(&[0xff; 4000]).await;
        }
    });
    bad
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_server_that_gives_nothing_is_told_with_its_number() {
    let Some(relay) = Relay::start("media ice errors") else { return };
    let mut expected = bad_servers().await;
    expected.push((format!("turn:127.0.0.1:{}", relay.port(Protocol::Udp)), 400));
    let urls: Vec<String> = expected.iter().map(|(url, _)| url.clone()).collect();
    let begin = tokio::time::Instant::now();
    let servers = vec![server(&urls, SECRET)];
    assert!(!format!("{servers:?}").contains(SECRET));
    let gathering = Gathering::begin(servers, IceTransportsType::All).await;
    let told = gathering.complete(1).await;
    assert!(begin.elapsed() < Duration::from_secs(12), "{:?}", begin.elapsed());
    let found: BTreeMap<&str, i32> =
        told.errors.iter().map(|it| (it.url.as_str(), it.error_code)).collect();
    let expected: BTreeMap<&str, i32> =
        expected.iter().map(|(url, n)| (url.as_str(), *n)).collect();
    assert_eq!(found, expected, "{:?}", told.errors);
    assert_eq!(told.errors.len(), expected.len(), "each once");
    assert!(!format!("{:?}", told.errors).contains(SECRET));
}
