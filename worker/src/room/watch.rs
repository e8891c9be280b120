//! Watches a room: who comes and goes, whose microphone is heard, what is sent besides.
//!
//! In come the crate's events; out go the microphone's tracks, recordings and inputs on channels,
//! and the end of the call.

use std::fmt::Display;
use std::future::pending;
use std::sync::Arc;

use livekit::participant::{ParticipantState, RemoteParticipant};
use livekit::prelude::{RemoteTrack, RemoteTrackPublication, TrackSource};
use livekit::{Room, RoomEvent};
use livekit_protocol::AudioTrackFeature;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};
use voicegraph_engine::message::UserInput;
use voicegraph_engine::transport::Captured;

use super::caller::Caller;
use super::inputs::{self, BadChat};
use super::link::Link;
use super::microphone::Track;
use super::orders::Orders;
use super::reading::Reading;
use super::recording::{self, Recording, Unreadable};
use super::{End, Settings};

/// The ways out.
pub(super) struct Outlets {
    /// The caller's microphone.
    pub(super) microphone: watch::Sender<Option<Track>>,
    /// What the caller said before the agent came.
    pub(super) recordings: mpsc::Sender<Recording>,
    /// What the caller types or presses.
    pub(super) inputs: mpsc::Sender<Captured>,
    /// The name of the caller's track on the server.
    pub(super) caller_track: watch::Sender<String>,
    /// The name of the agent's.
    pub(super) agent_track: watch::Sender<String>,
}

/// What a stream brought.
enum Read {
    Chat(Result<UserInput, BadChat>),
    Recording(Result<Recording, Unreadable>),
}

/// Watches one room.
pub(super) struct Watch {
    /// The crate chose a channel without a limit.
    events: UnboundedReceiver<RoomEvent>,
    link: Link,
    caller: Option<Caller>,
    /// The caller as the room knows it now, while it is there.
    there: Option<RemoteParticipant>,
    outlets: Outlets,
    reading: Reading<Read>,
    /// Whether the agent's track has a subscriber.
    is_heard: bool,
    /// Whether the caller's connection carries media.
    is_active: bool,
    orders: Orders,
}

impl Watch {
    /// Watches `room` from now on; the caller may be there already.
    pub(super) fn new(
        room: &Room,
        events: UnboundedReceiver<RoomEvent>,
        link: Link,
        outlets: Outlets,
        orders: Orders,
    ) -> Self {
        let mut watch = Self {
            events,
            link,
            caller: None,
            there: None,
            outlets,
            reading: Reading::new(),
            is_heard: false,
            is_active: false,
            orders,
        };
        let mut there: Vec<_> = room.remote_participants().into_values().collect();
        there.sort_by_key(RemoteParticipant::joined_at);
        there.iter().for_each(|participant| watch.came(participant));
        watch
    }

    /// The way of inputs to the graph.
    pub(super) fn inputs(&self) -> mpsc::Sender<Captured> {
        self.outlets.inputs.clone()
    }

    /// What the job is told from outside.
    pub(super) fn orders(&self) -> &Orders {
        &self.orders
    }

    /// Whether the caller has come.
    pub(super) fn has_caller(&self) -> bool {
        self.caller.is_some()
    }

    /// Waits for the caller, and then for the caller to listen, but for that no longer than the
    /// limit.
    pub(super) async fn until_ready(&mut self, settings: &Settings) -> Result<Caller, End> {
        while self.caller.is_none() {
            self.step().await?;
        }
        let listening = async {
            while !(self.is_heard && self.is_active) {
                self.step().await?;
            }
            Ok(())
        };
        match timeout(settings.listen_limit, listening).await {
            Ok(result) => result?,
            Err(_) => tracing::warn!("caller does not listen yet, the agent begins all the same"),
        }
        Ok(self.caller.clone().expect("it was waited for"))
    }

    /// Watches until the call is over.
    pub(super) async fn until_over(&mut self) -> End {
        loop {
            if let Err(end) = self.step().await {
                return end;
            }
        }
    }

    /// Follows one event. Cancel safe.
    async fn step(&mut self) -> Result<(), End> {
        // Then nobody is there, and nobody missed.
        let is_mending = self.orders.is_mending();
        tokio::select! {
            biased;
            // Before the orders: that the connection broke says what an order means.
            event = self.events.recv() => match event {
                Some(event) => self.on(event),
                None => Err(End::ConnectionLost { reason: "ROOM_GONE" }),
            },
            end = self.orders.end() => Err(end),
            read = self.reading.next() => {
                self.have_read(read.ok());
                Ok(())
            }
            () = until(self.link.until().filter(|_| !is_mending)) => Err(self.link.missed()),
        }
    }

    fn on(&mut self, event: RoomEvent) -> Result<(), End> {
        match event {
            RoomEvent::ParticipantConnected(participant) => self.came(&participant),
            RoomEvent::ParticipantActive(participant) => {
                self.is_active |= self.is_caller(&participant);
            }
            RoomEvent::ParticipantDisconnected(participant) => return self.left(&participant),
            RoomEvent::TrackPublished { publication, participant } => {
                self.subscribe(&publication, &participant);
            }
            RoomEvent::TrackSubscribed { track, publication, participant } => {
                self.hear(&track, &publication, &participant);
            }
            RoomEvent::TrackUnsubscribed { publication, .. }
            | RoomEvent::TrackUnpublished { publication, .. } => {
                self.lose(publication.sid().as_str());
            }
            RoomEvent::LocalTrackSubscribed { .. } => self.is_heard = true,
            RoomEvent::LocalTrackRepublished { publication, .. } => {
                self.outlets.agent_track.send_replace(publication.sid().to_string());
                self.orders.rejoined();
            }
            RoomEvent::Reconnecting => {
                tracing::warn!("connection to the server broke");
                self.orders.broke();
            }
            RoomEvent::Reconnected => {
                tracing::info!("connection to the server is mended");
                self.orders.mended();
                self.ask_again();
                self.link.renew(Instant::now());
            }
            RoomEvent::Disconnected { reason } => return Err(End::of_connection(reason)),
            other => self.on_input(other),
        }
        Ok(())
    }

    /// What the caller sends besides sound; others are not listened to.
    fn on_input(&mut self, event: RoomEvent) {
        match event {
            RoomEvent::TextStreamOpened { reader, topic, participant_identity: from } => {
                let wanted = topic == inputs::CHAT && self.link.is(from.as_str());
                if let Some(reader) = reader.take().filter(|_| wanted) {
                    self.read(async { Read::Chat(inputs::read(reader).await) });
                }
            }
            RoomEvent::ByteStreamOpened { reader, topic, participant_identity: from } => {
                let wanted = topic == recording::TOPIC && self.link.is(from.as_str());
                if let Some(reader) = reader.take().filter(|_| wanted) {
                    self.read(async { Read::Recording(recording::read(reader).await) });
                }
            }
            RoomEvent::SipDTMFReceived { code, digit, participant: Some(participant) }
                if self.is_caller(&participant) =>
            {
                self.take(inputs::key(code, digit.as_deref()));
            }
            _ => {}
        }
    }

    fn is_caller(&self, participant: &RemoteParticipant) -> bool {
        self.link.is(participant.identity().as_str())
    }

    fn came(&mut self, participant: &RemoteParticipant) {
        if !self.link.came(participant.identity().as_str(), participant.kind()) {
            return;
        }
        let caller = self.caller.get_or_insert_with(|| participant.into());
        tracing::info!(?caller, "linked");
        self.is_active = participant.state() == ParticipantState::Active;
        self.there = Some(participant.clone());
        for publication in participant.track_publications().values() {
            self.subscribe(publication, participant);
        }
    }

    fn left(&mut self, participant: &RemoteParticipant) -> Result<(), End> {
        let reason = participant.disconnect_reason();
        if self.is_caller(participant) {
            tracing::info!(?reason, "caller is gone");
            self.outlets.microphone.send_replace(None);
            self.there = None;
        }
        self.link.left(participant.identity().as_str(), reason, Instant::now())
    }

    /// Asks for the caller's microphone, and for nothing else that there is.
    fn subscribe(&self, publication: &RemoteTrackPublication, participant: &RemoteParticipant) {
        let wanted = publication.source() == TrackSource::Microphone;
        if wanted && self.is_caller(participant) {
            self.outlets.caller_track.send_replace(publication.sid().to_string());
            publication.set_subscribed(true);
            if let Some(track) = publication.track() {
                self.hear(&track, publication, participant);
            }
        }
    }

    /// Asks for the caller's microphone where it is still not heard: what was asked for while the
    /// agent joined anew went to the connection that was given up.
    fn ask_again(&self) {
        let Some(caller) = &self.there else { return };
        for publication in caller.track_publications().values() {
            if publication.track().is_none() {
                self.subscribe(publication, caller);
            }
        }
    }

    fn hear(
        &self,
        track: &RemoteTrack,
        publication: &RemoteTrackPublication,
        participant: &RemoteParticipant,
    ) {
        let RemoteTrack::Audio(track) = track else { return };
        if !self.is_caller(participant) || publication.source() != TrackSource::Microphone {
            return;
        }
        let sid = publication.sid().to_string();
        let sound = Arc::new(track.rtc_track());
        let recorded =
            publication.audio_features().contains(&AudioTrackFeature::TfPreconnectBuffer);
        self.outlets.microphone.send_replace(Some(Track { sid, sound, recorded }));
    }

    fn lose(&self, sid: &str) {
        self.outlets
            .microphone
            .send_if_modified(|track| track.take_if(|track| track.sid == sid).is_some());
    }

    fn read(&mut self, stream: impl Future<Output = Read> + Send + 'static) {
        if !self.reading.begin(stream) {
            tracing::warn!("too many streams at once, one is not read");
        }
    }

    fn take(&self, input: Result<UserInput, impl Display>) {
        match input {
            Ok(input) => drop(inputs::give(&self.outlets.inputs, input)),
            Err(error) => tracing::warn!(%error, "input of the caller cannot be taken"),
        }
    }

    fn have_read(&self, read: Option<Read>) {
        match read {
            Some(Read::Chat(input)) => self.take(input),
            None => tracing::warn!("a stream did not come to its end"),
            Some(Read::Recording(Ok(recording))) => {
                if self.outlets.recordings.try_send(recording).is_err() {
                    tracing::warn!("recording of the caller is one too many");
                }
            }
            Some(Read::Recording(Err(error))) => {
                tracing::warn!(%error, "recording of the caller cannot be played");
            }
        }
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}
