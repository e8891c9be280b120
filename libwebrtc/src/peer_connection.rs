//! A connection to one peer: descriptions are exchanged, then data and media flow.

#![expect(clippy::needless_pass_by_value, reason = "the signatures are upstream's")]

use std::fmt;

use crate::data_channel::{DataChannel, DataChannelInit};
use crate::ice_candidate::IceCandidate;
use crate::imp::peer_connection as imp;
use crate::media_stream::MediaStream;
use crate::media_stream_track::MediaStreamTrack;
use crate::peer_connection_factory::RtcConfiguration;
use crate::rtp_receiver::RtpReceiver;
use crate::rtp_sender::RtpSender;
use crate::rtp_transceiver::{RtpTransceiver, RtpTransceiverInit};
use crate::session_description::SessionDescription;
use crate::stats::RtcStats;
use crate::{MediaType, RtcError};

/// Where the connection stands as a whole.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum PeerConnectionState {
    /// Nothing has begun.
    New,
    /// Addresses are tried, or keys exchanged.
    Connecting,
    /// Data and media flow.
    Connected,
    /// The peer is silent; it may come back.
    Disconnected,
    /// The peer did not come back in time. A restart of ICE may mend it.
    Failed,
    /// Closed here.
    Closed,
}

/// Where the search for a path stands.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum IceConnectionState {
    /// No candidates of the peer yet.
    New,
    /// Pairs of candidates are tried.
    Checking,
    /// A pair works; better ones are tried.
    Connected,
    /// The best pair works.
    Completed,
    /// No pair works.
    Failed,
    /// The pair in use is silent.
    Disconnected,
    /// Closed here.
    Closed,
}

/// Where the gathering of local candidates stands.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum IceGatheringState {
    /// Not begun.
    New,
    /// Under way.
    Gathering,
    /// All are told.
    Complete,
}

/// Whose turn it is in a negotiation.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum SignalingState {
    /// None is under way.
    Stable,
    /// Ours is offered, the peer is to answer.
    HaveLocalOffer,
    /// Provisional answers are not understood, so this is never told.
    HaveLocalPrAnswer,
    /// The peer's is offered, we are to answer.
    HaveRemoteOffer,
    /// Provisional answers are not understood, so this is never told.
    HaveRemotePrAnswer,
    /// Closed here.
    Closed,
}

/// What an offer is to ask for.
#[derive(Debug, Clone, Default)]
pub struct OfferOptions {
    /// Look for a path anew.
    pub ice_restart: bool,
}

/// What an answer is to ask for: nothing so far.
#[derive(Debug, Clone, Default)]
pub struct AnswerOptions {}

/// Why a server gave no candidate.
#[derive(Debug, Clone)]
pub struct IceCandidateError {
    /// The local address.
    pub address: String,
    /// The local port.
    pub port: i32,
    /// The server.
    pub url: String,
    /// The server's number.
    pub error_code: i32,
    /// The server's words.
    pub error_text: String,
}

/// A track that the peer began to send.
#[derive(Debug, Clone)]
pub struct TrackEvent {
    /// What receives it.
    pub receiver: RtpReceiver,
    /// The streams that it belongs to.
    pub streams: Vec<MediaStream>,
    /// The track.
    pub track: MediaStreamTrack,
    /// The section that it comes in.
    pub transceiver: RtpTransceiver,
}

/// Called with each new state of the connection.
pub type OnConnectionChange = Box<dyn FnMut(PeerConnectionState) + Send + Sync>;
/// Called with each channel that the peer opens, before its first message.
pub type OnDataChannel = Box<dyn FnMut(DataChannel) + Send + Sync>;
/// Called with each local candidate.
pub type OnIceCandidate = Box<dyn FnMut(IceCandidate) + Send + Sync>;
/// Called when a server gives no candidate.
pub type OnIceCandidateError = Box<dyn FnMut(IceCandidateError) + Send + Sync>;
/// Called with each new state of the search for a path.
pub type OnIceConnectionChange = Box<dyn FnMut(IceConnectionState) + Send + Sync>;
/// Called with each new state of gathering.
pub type OnIceGatheringChange = Box<dyn FnMut(IceGatheringState) + Send + Sync>;
/// Called with each new state of the negotiation.
pub type OnSignalingChange = Box<dyn FnMut(SignalingState) + Send + Sync>;
/// Called with each track that the peer begins to send.
pub type OnTrack = Box<dyn FnMut(TrackEvent) + Send + Sync>;

/// A connection; clones are the same connection. It closes when the last one is dropped.
#[derive(Clone)]
pub struct PeerConnection {
    pub(crate) handle: imp::PeerConnection,
}

impl PeerConnection {
    /// Changes the configuration of a living connection: other servers are asked at once, where
    /// gathering has begun.
    pub fn set_configuration(&self, config: RtcConfiguration) -> Result<(), RtcError> {
        self.handle.set_configuration(&config)
    }

    /// Writes an offer. Nothing changes until it is set; it may be dropped.
    pub async fn create_offer(
        &self,
        options: OfferOptions,
    ) -> Result<SessionDescription, RtcError> {
        self.handle.create_offer(&options)
    }

    /// Writes the answer to the offer that was set.
    pub async fn create_answer(
        &self,
        _options: AnswerOptions,
    ) -> Result<SessionDescription, RtcError> {
        self.handle.create_answer()
    }

    /// Sets what was created here, and begins to gather candidates.
    pub async fn set_local_description(&self, desc: SessionDescription) -> Result<(), RtcError> {
        self.handle.set_local_description(&desc)
    }

    /// Sets what the peer sent.
    pub async fn set_remote_description(&self, desc: SessionDescription) -> Result<(), RtcError> {
        self.handle.set_remote_description(&desc)
    }

    /// Adds a candidate of the peer. Fails before the peer's description is set.
    pub async fn add_ice_candidate(&self, candidate: IceCandidate) -> Result<(), RtcError> {
        self.handle.add_ice_candidate(&candidate)
    }

    /// Makes a channel; it opens when the connection stands.
    pub fn create_data_channel(
        &self,
        label: &str,
        init: DataChannelInit,
    ) -> Result<DataChannel, RtcError> {
        let handle = self.handle.create_data_channel(label, &init)?;
        Ok(DataChannel { handle })
    }

    /// Sends a track from the next offer on, and is ready to receive in the same section.
    pub fn add_track<T: AsRef<str>>(
        &self,
        track: MediaStreamTrack,
        streams_ids: &[T],
    ) -> Result<RtpSender, RtcError> {
        let stream_ids = streams_ids.iter().map(|id| id.as_ref().to_owned()).collect();
        Ok(self.handle.add_track(track, stream_ids)?.sender())
    }

    /// Sends it no more from the next offer on.
    pub fn remove_track(&self, sender: RtpSender) -> Result<(), RtcError> {
        self.handle.remove_track(&sender)
    }

    /// Figures of the whole connection.
    pub async fn get_stats(&self) -> Result<Vec<RtcStats>, RtcError> {
        Ok(self.handle.stats())
    }

    /// Adds a section that sends a track.
    pub fn add_transceiver(
        &self,
        track: MediaStreamTrack,
        init: RtpTransceiverInit,
    ) -> Result<RtpTransceiver, RtcError> {
        self.handle.add_transceiver(track, init)
    }

    /// Adds a section without a track.
    pub fn add_transceiver_for_media(
        &self,
        media_type: MediaType,
        init: RtpTransceiverInit,
    ) -> Result<RtpTransceiver, RtcError> {
        self.handle.add_transceiver_for_media(media_type, init)
    }

    /// Ends it: sockets, task and callbacks go.
    pub fn close(&self) {
        self.handle.close();
    }

    /// Has the next offer look for a path anew.
    pub fn restart_ice(&self) {
        self.handle.restart_ice();
    }

    /// Where it stands as a whole.
    pub fn connection_state(&self) -> PeerConnectionState {
        self.handle.connection_state()
    }

    /// Where the search for a path stands.
    pub fn ice_connection_state(&self) -> IceConnectionState {
        self.handle.ice_connection_state()
    }

    /// Where the gathering of candidates stands.
    pub fn ice_gathering_state(&self) -> IceGatheringState {
        self.handle.ice_gathering_state()
    }

    /// Whose turn it is.
    pub fn signaling_state(&self) -> SignalingState {
        self.handle.signaling_state()
    }

    /// Our side of the last negotiation that ended.
    pub fn current_local_description(&self) -> Option<SessionDescription> {
        self.handle.current_local_description()
    }

    /// The peer's side of the last negotiation that ended.
    pub fn current_remote_description(&self) -> Option<SessionDescription> {
        self.handle.current_remote_description()
    }

    /// The sending half of each section.
    pub fn senders(&self) -> Vec<RtpSender> {
        self.transceivers().iter().map(RtpTransceiver::sender).collect()
    }

    /// The receiving half of each section.
    pub fn receivers(&self) -> Vec<RtpReceiver> {
        self.transceivers().iter().map(RtpTransceiver::receiver).collect()
    }

    /// All sections of media.
    pub fn transceivers(&self) -> Vec<RtpTransceiver> {
        self.handle.transceivers()
    }

    /// Sets what is called with each new state of the connection.
    pub fn on_connection_state_change(&self, f: Option<OnConnectionChange>) {
        self.handle.callbacks().connection.set(f);
    }

    /// Sets what is called with each channel that the peer opens.
    pub fn on_data_channel(&self, f: Option<OnDataChannel>) {
        self.handle.callbacks().data_channel.set(f);
    }

    /// Sets what is called with each local candidate.
    pub fn on_ice_candidate(&self, f: Option<OnIceCandidate>) {
        self.handle.callbacks().candidate.set(f);
    }

    /// Sets what is called when a server gives no candidate.
    pub fn on_ice_candidate_error(&self, f: Option<OnIceCandidateError>) {
        self.handle.callbacks().candidate_error.set(f);
    }

    /// Sets what is called with each new state of the search for a path.
    pub fn on_ice_connection_state_change(&self, f: Option<OnIceConnectionChange>) {
        self.handle.callbacks().ice_connection.set(f);
    }

    /// Sets what is called with each new state of gathering.
    pub fn on_ice_gathering_state_change(&self, f: Option<OnIceGatheringChange>) {
        self.handle.callbacks().gathering.set(f);
    }

    /// Sets what is called with each new state of the negotiation.
    pub fn on_signaling_state_change(&self, f: Option<OnSignalingChange>) {
        self.handle.callbacks().signaling.set(f);
    }

    /// Sets what is called with each track that the peer begins to send.
    pub fn on_track(&self, f: Option<OnTrack>) {
        self.handle.callbacks().track.set(f);
    }
}

impl fmt::Debug for PeerConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeerConnection")
            .field("state", &self.connection_state())
            .field("signaling", &self.signaling_state())
            .finish()
    }
}
