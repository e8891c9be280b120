//! One side of a connection without a task and without sockets: what the driver does for a
//! [`Core`], done by whoever holds this, at times that are arguments. Tests join two of them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::media::MediaKind;
use str0m::net::{Protocol, Transmit};
#[cfg(test)]
use str0m::rtp::rtcp::{Nack, NackEntry};

use super::core::Core;
use super::ice::Found;
use super::media::Transceiver;
use super::notice::Notice;
use crate::RtcError;
use crate::audio_source::AudioSourceOptions;
use crate::audio_source::native::NativeAudioSource;
use crate::audio_track::RtcAudioTrack;
use crate::data_channel::DataChannelInit;
use crate::ice_candidate::IceCandidate;
#[cfg(test)]
use crate::imp::audio::jitter;
use crate::imp::channel::{Message, Record};
use crate::imp::track::Track;
use crate::media_stream_track::MediaStreamTrack;
#[cfg(test)]
use crate::peer_connection::IceConnectionState;
use crate::peer_connection::{OfferOptions, PeerConnectionState};
use crate::rtp_transceiver::RtpTransceiverDirection;
use crate::session_description::SessionDescription;
#[cfg(test)]
use crate::stats::RtcStats;

/// A connection whose clock counts from a moment of its own.
pub(crate) struct Side {
    core: Core,
    base: Instant,
    address: SocketAddr,
    /// Channels that the peer opened, until they are taken.
    pub(crate) opened: Vec<Arc<Record>>,
    /// What arrived, by the label of its channel, until it is taken.
    pub(crate) messages: Vec<(String, Message)>,
    /// The states that the connection went through.
    pub(crate) states: Vec<PeerConnectionState>,
}

impl Side {
    /// A side that is reached at `address`; its clock stands at 0 when it is `base`.
    pub(crate) fn new(base: Instant, address: SocketAddr) -> Self {
        let core = Core::new(true, Arc::default(), base);
        let (opened, messages, states) = (Vec::new(), Vec::new(), Vec::new());
        Self { core, base, address, opened, messages, states }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn connection(&self) -> PeerConnectionState {
        self.core.connection
    }

    /// Changes the connection, as its users do.
    fn with<T>(&mut self, now: Duration, change: impl FnOnce(&mut Core) -> T) -> T {
        let result = change(&mut self.core);
        if !self.core.is_closed() {
            self.core.drain(self.base + now);
        }
        result
    }

    /// Wants to send sound, which the source is fed with.
    pub(crate) fn add_source(&mut self) -> NativeAudioSource {
        let source = NativeAudioSource::new(AudioSourceOptions::default(), 48_000, 1, 0);
        let handle = Arc::new(Track::fed_by("voice", source.clone()));
        let direction = RtpTransceiverDirection::SendOnly;
        let mut transceiver = Transceiver::new(MediaKind::Audio, direction);
        transceiver.sent_names = Some(("stream".to_owned(), "voice".to_owned()));
        transceiver.sent = Some(MediaStreamTrack::Audio(RtcAudioTrack { handle }));
        self.core.transceivers.add(transceiver);
        source
    }

    /// The track of the peer's that is heard.
    #[cfg(test)]
    pub(crate) fn received(&self) -> Option<RtcAudioTrack> {
        let sent = self.core.transceivers.iter().find(|(_, it)| !it.stream_ids.is_empty());
        match &sent?.1.received {
            MediaStreamTrack::Audio(track) => Some(track.clone()),
            MediaStreamTrack::Video(_) => None,
        }
    }

    /// What was counted of the sound that is heard.
    #[cfg(test)]
    pub(crate) fn jitter_stats(&self) -> jitter::Stats {
        let stats = self.core.transceivers.iter().map(|(_, it)| it.jitter_stats());
        stats.max_by_key(|stats| stats.played).unwrap_or_default()
    }

    /// Its figures.
    #[cfg(test)]
    pub(crate) fn stats(&self) -> Vec<RtcStats> {
        self.core.stats()
    }

    /// Offers, and listens at its address.
    pub(crate) fn offer(&mut self, now: Duration) -> Result<SessionDescription, RtcError> {
        let offer = self.with(now, |core| {
            let offer = core.create_offer(&OfferOptions::default())?;
            core.set_local(&offer).map(|()| offer)
        })?;
        self.listen(now);
        Ok(offer)
    }

    /// Answers the offer that was taken, and listens at its address.
    pub(crate) fn answer(&mut self, now: Duration) -> Result<SessionDescription, RtcError> {
        let answer = self.with(now, |core| {
            let answer = core.create_answer()?;
            core.set_local(&answer).map(|()| answer)
        })?;
        self.listen(now);
        Ok(answer)
    }

    fn listen(&mut self, now: Duration) {
        let address = self.address;
        let at = self.base + now;
        self.with(now, |core| core.on_found(at, Found::Host(Protocol::Udp, address)));
    }

    /// Sets the peer's description.
    pub(crate) fn set_remote(
        &mut self,
        description: &SessionDescription,
        now: Duration,
    ) -> Result<(), RtcError> {
        self.with(now, |core| core.set_remote(description))
    }

    /// Adds a candidate of the peer's.
    pub(crate) fn add_candidate(
        &mut self,
        candidate: &IceCandidate,
        now: Duration,
    ) -> Result<(), RtcError> {
        self.with(now, |core| core.add_candidate(candidate))
    }

    pub(crate) fn open_channel(
        &mut self,
        label: &str,
        init: &DataChannelInit,
        now: Duration,
    ) -> Result<Arc<Record>, RtcError> {
        self.with(now, |core| core.create_channel(label, init))
    }

    /// Whether the message was taken.
    pub(crate) fn send(&mut self, channel: &Arc<Record>, data: &[u8], now: Duration) -> bool {
        self.with(now, |core| core.send(channel, data, true))
    }

    #[cfg(feature = "fuzzing")]
    pub(crate) fn close_channel(&mut self, channel: &Arc<Record>, now: Duration) {
        self.with(now, |core| core.close_channel(channel));
    }

    #[cfg(feature = "fuzzing")]
    pub(crate) fn close(&mut self, now: Duration) {
        let base = self.base;
        self.with(now, |core| core.close(base + now));
    }

    /// The machine has lost the address that it speaks from.
    #[cfg(test)]
    pub(crate) fn remove_address(&mut self, now: Duration) {
        let gone = Found::Gone(Protocol::Udp, self.address);
        let at = self.base + now;
        self.with(now, |core| core.on_found(at, gone));
    }

    /// Has the next offer begin a new search for a path.
    #[cfg(test)]
    pub(crate) fn restart_ice(&mut self) {
        self.core.negotiation.restart = true;
    }

    #[cfg(test)]
    pub(crate) fn ice_connection(&self) -> IceConnectionState {
        self.core.ice
    }

    /// How many channels it holds.
    #[cfg(test)]
    pub(crate) fn channel_count(&self) -> usize {
        self.core.channels.len()
    }

    /// The number of the last packet of sound that was sent.
    #[cfg(test)]
    pub(crate) fn last_sequence(&self) -> u64 {
        let sent = self.core.transceivers.iter().filter_map(|(_, it)| it.outbound.last_sequence());
        sent.max().expect("sound was sent")
    }

    /// The peer asks for a packet of sound again.
    #[cfg(test)]
    pub(crate) fn on_nack(&mut self, sequence: u64) {
        let sent = self.core.transceivers.iter().map(|(_, it)| it.outbound.ssrc);
        let ssrc = sent.max().expect("sound was sent").into();
        let entry = NackEntry { pid: sequence as u16, blp: 0 };
        self.core.on_nack(&Nack { sender_ssrc: 0.into(), ssrc, reports: entry.into() });
    }

    /// Takes a datagram that came from `from`.
    pub(crate) fn receive(&mut self, from: SocketAddr, datagram: &[u8], now: Duration) {
        self.core.receive(self.base + now, Protocol::Udp, from, self.address, datagram);
    }

    /// Lets the time go on.
    pub(crate) fn advance(&mut self, now: Duration) {
        self.core.advance(self.base + now);
    }

    /// What is to be sent, and when [`Side::advance`] is to be called; takes in what is told.
    pub(crate) fn poll(&mut self, now: Duration) -> (Vec<Transmit>, Duration) {
        let work = self.core.poll(self.base + now);
        work.notices.into_iter().for_each(|notice| self.on_notice(notice));
        let deadline = work.deadline.saturating_duration_since(self.base);
        (work.datagrams.into(), deadline)
    }

    fn on_notice(&mut self, notice: Notice) {
        match notice {
            Notice::Connection(state) => self.states.push(state),
            Notice::DataChannel(record) => self.opened.push(record),
            Notice::Message(record) => {
                while let Some(message) = record.next() {
                    self.messages.push((record.label().to_owned(), message));
                }
            }
            _ => {}
        }
    }
}
