//! What users are told, in the order in which it happened.

use std::sync::Arc;

use super::Shared;
use super::media::{Key, Member};
use crate::data_channel::{DataChannel, DataChannelState};
use crate::ice_candidate::IceCandidate;
use crate::imp::callback::Callback;
use crate::imp::channel::{Channel, Record};
use crate::imp::cryptor::FrameCipher;
use crate::native::frame_cryptor::EncryptionState;
use crate::peer_connection::{
    IceCandidateError, IceConnectionState, IceGatheringState, OnConnectionChange, OnDataChannel,
    OnIceCandidate, OnIceCandidateError, OnIceConnectionChange, OnIceGatheringChange,
    OnSignalingChange, OnTrack, PeerConnectionState, SignalingState, TrackEvent,
};
use crate::rtp_receiver::RtpReceiver;
use crate::rtp_transceiver::RtpTransceiver;

/// One thing to tell.
pub(super) enum Notice {
    Connection(PeerConnectionState),
    IceConnection(IceConnectionState),
    Gathering(IceGatheringState),
    Signaling(SignalingState),
    Candidate(Box<IceCandidate>),
    CandidateError(IceCandidateError),
    /// The peer opened a channel.
    DataChannel(Arc<Record>),
    ChannelState(Arc<Record>, DataChannelState),
    /// Messages wait in the channel.
    Message(Arc<Record>),
    /// So many bytes left the channel's buffer.
    Sent(Arc<Record>, u64),
    /// The peer sends a track.
    Track(Key),
    /// The state of a track's encryption.
    Encryption(Arc<FrameCipher>, EncryptionState),
}

/// The user's functions.
#[derive(Default)]
pub(crate) struct Callbacks {
    pub(crate) connection: Callback<OnConnectionChange>,
    pub(crate) ice_connection: Callback<OnIceConnectionChange>,
    pub(crate) gathering: Callback<OnIceGatheringChange>,
    pub(crate) signaling: Callback<OnSignalingChange>,
    pub(crate) candidate: Callback<OnIceCandidate>,
    pub(crate) candidate_error: Callback<OnIceCandidateError>,
    pub(crate) data_channel: Callback<OnDataChannel>,
    pub(crate) track: Callback<OnTrack>,
}

impl Callbacks {
    /// Lets go of all functions, and of what they hold.
    pub(super) fn clear(&self) {
        self.connection.set(None);
        self.ice_connection.set(None);
        self.gathering.set(None);
        self.signaling.set(None);
        self.candidate.set(None);
        self.candidate_error.set(None);
        self.data_channel.set(None);
        self.track.set(None);
    }
}

/// Tells it. Called by the connection's task alone, without the lock.
pub(super) fn tell(shared: &Arc<Shared>, notice: Notice) {
    let callbacks = &shared.callbacks;
    match notice {
        Notice::Connection(state) => {
            callbacks.connection.call(|f| f(state));
        }
        Notice::IceConnection(state) => {
            callbacks.ice_connection.call(|f| f(state));
        }
        Notice::Gathering(state) => {
            callbacks.gathering.call(|f| f(state));
        }
        Notice::Signaling(state) => {
            callbacks.signaling.call(|f| f(state));
        }
        Notice::Candidate(candidate) => {
            callbacks.candidate.call(|f| f(*candidate));
        }
        Notice::CandidateError(error) => {
            callbacks.candidate_error.call(|f| f(error));
        }
        Notice::DataChannel(record) => {
            let handle = Channel { shared: shared.clone(), record };
            callbacks.data_channel.call(|f| f(DataChannel { handle }));
        }
        Notice::ChannelState(record, state) => record.tell_state(state),
        Notice::Message(record) => record.deliver(),
        Notice::Sent(record, bytes) => record.tell_sent(bytes),
        Notice::Encryption(cipher, state) => {
            let participant = cipher.participant().to_owned();
            cipher.on_state.call(|f| f(participant, state));
        }
        Notice::Track(key) => {
            let member = Member { shared: shared.clone(), key };
            callbacks.track.call(|f| f(track_event(member)));
        }
    }
}

fn track_event(member: Member) -> TrackEvent {
    let (track, streams) = member.read(|it| (it.received.clone(), it.streams()));
    let receiver = RtpReceiver { handle: member.clone() };
    TrackEvent { receiver, streams, track, transceiver: RtpTransceiver { handle: member } }
}
