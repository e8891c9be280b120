//! A peer whose events can be waited for, and signalling by function call.

#![expect(clippy::unwrap_used, reason = "a test ends where anything fails")]

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use libwebrtc::audio_source::native::NativeAudioSource;
use libwebrtc::peer_connection::TrackEvent;
use libwebrtc::peer_connection_factory::native::PeerConnectionFactoryExt;
use libwebrtc::prelude::*;
use tokio::sync::mpsc::{self, Receiver, Sender};

/// How long anything may take. Only a failing test waits as long.
const LIMIT: Duration = Duration::from_secs(20);

/// More events than any test has waiting.
const EVENTS: usize = 4096;

/// Waits for `done`, and names what was waited for when it does not come.
pub(crate) async fn within<T>(what: &str, done: impl Future<Output = T>) -> T {
    let result = tokio::time::timeout(LIMIT, done).await;
    result.unwrap_or_else(|_| panic!("{what} did not come within {LIMIT:?}"))
}

/// A connection with its events.
pub(crate) struct Peer {
    pub(crate) connection: PeerConnection,
    candidates: Arc<Mutex<Vec<IceCandidate>>>,
    states: tokio::sync::Mutex<Receiver<PeerConnectionState>>,
    channels: Receiver<DataChannel>,
    tracks: Receiver<TrackEvent>,
}

impl Peer {
    pub(crate) fn new() -> Self {
        let factory = PeerConnectionFactory::default();
        let connection = factory.create_peer_connection(RtcConfiguration::default()).unwrap();
        let candidates: Arc<Mutex<Vec<IceCandidate>>> = Arc::default();
        let found = candidates.clone();
        connection.on_ice_candidate(Some(Box::new(move |it| found.lock().unwrap().push(it))));
        let (sender, states) = mpsc::channel(EVENTS);
        connection.on_connection_state_change(Some(put(sender)));
        let (sender, channels) = mpsc::channel(EVENTS);
        connection.on_data_channel(Some(put(sender)));
        let (sender, tracks) = mpsc::channel(EVENTS);
        connection.on_track(Some(put(sender)));
        Self { connection, candidates, states: tokio::sync::Mutex::new(states), channels, tracks }
    }

    /// The next channel that the other side opens.
    pub(crate) async fn data_channel(&mut self) -> DataChannel {
        within("a channel", self.channels.recv()).await.expect("the connection lives")
    }

    /// The next track that the other side sends.
    pub(crate) async fn track(&mut self) -> TrackEvent {
        within("a track", self.tracks.recv()).await.expect("the connection lives")
    }

    /// The next state of the connection.
    pub(crate) async fn state(&self) -> Option<PeerConnectionState> {
        self.states.lock().await.recv().await
    }

    /// Where it listens.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        let candidates = self.candidates.lock().unwrap();
        let address = |candidate: &IceCandidate| {
            let line = candidate.candidate();
            let fields: Vec<&str> = line.split(' ').collect();
            let ip = fields[4].parse().unwrap();
            SocketAddr::new(ip, fields[5].parse().unwrap())
        };
        candidates.iter().map(address).filter(SocketAddr::is_ipv4).collect()
    }
}

fn put<T: Send + 'static>(sender: Sender<T>) -> Box<dyn FnMut(T) + Send + Sync> {
    Box::new(move |it| sender.try_send(it).unwrap_or_else(|_| panic!("events are waited for")))
}

/// Offers, answers, and waits until both are connected.
pub(crate) async fn connect(a: &Peer, b: &Peer) {
    negotiate(a, b, OfferOptions::default()).await;
    connected(a, b).await;
}

/// Has `a` offer and `b` answer.
pub(crate) async fn negotiate(a: &Peer, b: &Peer, options: OfferOptions) {
    let offer = a.connection.create_offer(options).await.unwrap();
    answer(a, b, offer).await;
}

/// Has `a` set the offer and `b` answer it; candidates follow.
pub(crate) async fn answer(a: &Peer, b: &Peer, offer: SessionDescription) {
    a.connection.set_local_description(offer.clone()).await.unwrap();
    b.connection.set_remote_description(offer).await.unwrap();
    let answer = b.connection.create_answer(AnswerOptions::default()).await.unwrap();
    b.connection.set_local_description(answer.clone()).await.unwrap();
    a.connection.set_remote_description(answer).await.unwrap();
    within("candidates", async {
        while a.candidates.lock().unwrap().is_empty() || b.candidates.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    tell_candidates(a, b).await;
    tell_candidates(b, a).await;
}

async fn tell_candidates(from: &Peer, to: &Peer) {
    let candidates = from.candidates.lock().unwrap().clone();
    for candidate in candidates {
        to.connection.add_ice_candidate(candidate).await.unwrap();
    }
}

/// Waits until both are connected.
pub(crate) async fn connected(a: &Peer, b: &Peer) {
    for peer in [a, b] {
        within("the connection", async {
            while peer.connection.connection_state() != PeerConnectionState::Connected {
                peer.state().await;
            }
        })
        .await;
    }
}

/// A track of sound that nothing feeds.
pub(crate) fn audio_track(id: &str) -> RtcAudioTrack {
    let source = NativeAudioSource::new(AudioSourceOptions::default(), 48_000, 1, 0);
    PeerConnectionFactory::default().create_audio_track(id, source)
}

/// A channel with its events.
pub(crate) struct Listener {
    pub(crate) channel: DataChannel,
    states: tokio::sync::Mutex<Receiver<DataChannelState>>,
    messages: tokio::sync::Mutex<Receiver<(Vec<u8>, bool)>>,
    sent: tokio::sync::Mutex<Receiver<u64>>,
    held: Weak<()>,
}

impl Listener {
    pub(crate) fn new(channel: DataChannel) -> Self {
        let (sender, states) = mpsc::channel(EVENTS);
        channel.on_state_change(Some(put(sender)));
        let (sender, sent) = mpsc::channel(EVENTS);
        channel.on_buffered_amount_change(Some(put(sender)));
        let (sender, messages) = mpsc::channel(EVENTS);
        let marker = Arc::new(());
        let held = Arc::downgrade(&marker);
        channel.on_message(Some(Box::new(move |message| {
            let _marker = &marker;
            let message = (message.data.to_vec(), message.binary);
            sender.try_send(message).expect("messages are waited for");
        })));
        let states = tokio::sync::Mutex::new(states);
        let messages = tokio::sync::Mutex::new(messages);
        let sent = tokio::sync::Mutex::new(sent);
        Self { channel, states, messages, sent, held }
    }

    /// Waits until it is open.
    pub(crate) async fn opened(&self) {
        within("an open channel", async {
            while self.channel.state() != DataChannelState::Open {
                self.states.lock().await.recv().await;
            }
        })
        .await;
    }

    /// The next message, and whether it is binary.
    pub(crate) async fn message(&self) -> (Vec<u8>, bool) {
        let mut messages = self.messages.lock().await;
        within("a message", messages.recv()).await.expect("the channel lives")
    }

    /// How many bytes left the buffer, at the next report.
    pub(crate) async fn sent(&self) -> u64 {
        let mut sent = self.sent.lock().await;
        within("a report", sent.recv()).await.expect("the channel lives")
    }

    /// Something that lives as long as the function for messages.
    pub(crate) fn marker(&self) -> Weak<()> {
        self.held.clone()
    }
}
