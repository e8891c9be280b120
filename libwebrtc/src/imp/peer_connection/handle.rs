//! A connection as its users hold it: what its face calls.

use std::sync::Arc;

use str0m::media::MediaKind;
use tokio::runtime::Handle;

use super::driver;
use super::ice::Wanted;
use super::media::{LIMIT, Member, Transceiver};
use super::notice::Callbacks;
use super::shared::Shared;
use crate::data_channel::DataChannelInit;
use crate::ice_candidate::IceCandidate;
use crate::imp::channel::Channel;
use crate::media_stream_track::MediaStreamTrack;
use crate::peer_connection::{
    IceConnectionState, IceGatheringState, OfferOptions, PeerConnectionState, SignalingState,
};
use crate::peer_connection_factory::{IceTransportsType, RtcConfiguration};
use crate::rtp_sender::RtpSender;
use crate::rtp_transceiver::{RtpTransceiver, RtpTransceiverDirection, RtpTransceiverInit};
use crate::session_description::SessionDescription;
use crate::stats::RtcStats;
use crate::{MediaType, RtcError};

/// A connection; clones are the same connection.
#[derive(Clone)]
pub(crate) struct PeerConnection {
    owner: Arc<Owner>,
}

/// Closes the connection when its last user has gone. Channels and transceivers hold
/// [`Shared`] and keep no connection open.
struct Owner {
    shared: Arc<Shared>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.shared.close();
    }
}

/// What a configuration asks for, if this build can do that.
fn wanted(config: &RtcConfiguration) -> Result<Wanted, RtcError> {
    let relays_only = match config.ice_transport_type {
        IceTransportsType::All => false,
        IceTransportsType::Relay => true,
        IceTransportsType::NoHost => {
            return Err(RtcError::unsupported("ICE without host candidates"));
        }
    };
    Ok(Wanted { servers: config.ice_servers.clone(), relays_only })
}

impl PeerConnection {
    /// A connection, with its task in the runtime that this is called in.
    pub(crate) fn open(config: &RtcConfiguration) -> Result<Self, RtcError> {
        let wanted = wanted(config)?;
        let runtime = Handle::try_current().map_err(|_| {
            RtcError::invalid_state("a connection needs a tokio runtime: create it inside of one")
        })?;
        let shared = Shared::new(config.enable_sctp_snap);
        shared.lock(|core| core.configure(wanted));
        driver::start(shared.clone(), &runtime);
        Ok(Self { owner: Arc::new(Owner { shared }) })
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.owner.shared
    }

    pub(crate) fn callbacks(&self) -> &Callbacks {
        &self.shared().callbacks
    }

    pub(crate) fn set_configuration(&self, config: &RtcConfiguration) -> Result<(), RtcError> {
        let wanted = wanted(config)?;
        self.shared().with(|core, _| core.configure(wanted));
        Ok(())
    }

    pub(crate) fn create_offer(
        &self,
        options: &OfferOptions,
    ) -> Result<SessionDescription, RtcError> {
        self.shared().with(|core, _| core.create_offer(options))
    }

    pub(crate) fn create_answer(&self) -> Result<SessionDescription, RtcError> {
        self.shared().lock(|core| core.create_answer())
    }

    pub(crate) fn set_local_description(
        &self,
        description: &SessionDescription,
    ) -> Result<(), RtcError> {
        self.shared().with(|core, _| {
            core.set_local(description)?;
            core.gather_for(description);
            Ok(())
        })
    }

    pub(crate) fn set_remote_description(
        &self,
        description: &SessionDescription,
    ) -> Result<(), RtcError> {
        self.shared().with(|core, _| core.set_remote(description))
    }

    pub(crate) fn add_ice_candidate(&self, candidate: &IceCandidate) -> Result<(), RtcError> {
        self.shared().with(|core, _| core.add_candidate(candidate))
    }

    pub(crate) fn create_data_channel(
        &self,
        label: &str,
        init: &DataChannelInit,
    ) -> Result<Channel, RtcError> {
        let record = self.shared().with(|core, _| core.create_channel(label, init))?;
        Ok(Channel { shared: self.shared().clone(), record })
    }

    pub(crate) fn add_track(
        &self,
        track: MediaStreamTrack,
        stream_ids: Vec<String>,
    ) -> Result<RtpTransceiver, RtcError> {
        let direction = RtpTransceiverDirection::SendRecv;
        let init = RtpTransceiverInit { direction, stream_ids, send_encodings: Vec::new() };
        self.add_transceiver(track, init)
    }

    pub(crate) fn add_transceiver(
        &self,
        track: MediaStreamTrack,
        init: RtpTransceiverInit,
    ) -> Result<RtpTransceiver, RtcError> {
        if matches!(track, MediaStreamTrack::Video(_)) {
            return Err(RtcError::unsupported("sending video"));
        }
        let stream = init.stream_ids.first().cloned().unwrap_or_else(|| "-".to_owned());
        let mut transceiver = Transceiver::new(MediaKind::Audio, init.direction);
        transceiver.sent_names = Some((stream, track.id()));
        transceiver.parameters.encodings = init.send_encodings;
        transceiver.sent = Some(track);
        self.add(transceiver)
    }

    pub(crate) fn add_transceiver_for_media(
        &self,
        media_type: MediaType,
        init: RtpTransceiverInit,
    ) -> Result<RtpTransceiver, RtcError> {
        use RtpTransceiverDirection::{SendOnly, SendRecv};
        let kind = match media_type {
            MediaType::Audio => MediaKind::Audio,
            MediaType::Video if matches!(init.direction, SendOnly | SendRecv) => {
                return Err(RtcError::unsupported("sending video"));
            }
            MediaType::Video => MediaKind::Video,
            MediaType::Data | MediaType::Unsupported => {
                let message = format!("a transceiver carries audio or video, not {media_type:?}");
                return Err(RtcError::invalid_state(message));
            }
        };
        let mut transceiver = Transceiver::new(kind, init.direction);
        transceiver.parameters.encodings = init.send_encodings;
        self.add(transceiver)
    }

    fn add(&self, transceiver: Transceiver) -> Result<RtpTransceiver, RtcError> {
        let key = self.shared().lock(|core| {
            if core.is_closed() {
                return Err(RtcError::invalid_state("the connection is closed"));
            }
            if core.transceivers.len() >= LIMIT {
                let message = format!("there are {LIMIT} transceivers already");
                return Err(RtcError::invalid_state(message));
            }
            Ok(core.transceivers.add(transceiver))
        })?;
        Ok(RtpTransceiver { handle: Member { shared: self.shared().clone(), key } })
    }

    pub(crate) fn remove_track(&self, sender: &RtpSender) -> Result<(), RtcError> {
        if !Arc::ptr_eq(self.shared(), &sender.handle.shared) {
            return Err(RtcError::invalid_state("the sender is another connection's"));
        }
        sender.handle.write(Transceiver::stop_sending);
        Ok(())
    }

    pub(crate) fn transceivers(&self) -> Vec<RtpTransceiver> {
        let keys: Vec<_> =
            self.shared().lock(|core| core.transceivers.iter().map(|(key, _)| key).collect());
        let member = |key| Member { shared: self.shared().clone(), key };
        keys.into_iter().map(|key| RtpTransceiver { handle: member(key) }).collect()
    }

    pub(crate) fn stats(&self) -> Vec<RtcStats> {
        self.shared().lock(|core| core.stats())
    }

    pub(crate) fn close(&self) {
        self.shared().close();
    }

    pub(crate) fn restart_ice(&self) {
        self.shared().lock(|core| core.negotiation.restart = true);
    }

    pub(crate) fn connection_state(&self) -> PeerConnectionState {
        self.shared().lock(|core| core.connection)
    }

    pub(crate) fn ice_connection_state(&self) -> IceConnectionState {
        self.shared().lock(|core| core.ice)
    }

    pub(crate) fn ice_gathering_state(&self) -> IceGatheringState {
        self.shared().lock(|core| core.gathering)
    }

    pub(crate) fn signaling_state(&self) -> SignalingState {
        self.shared().lock(|core| core.negotiation.state)
    }

    pub(crate) fn current_local_description(&self) -> Option<SessionDescription> {
        self.shared().lock(|core| core.negotiation.current_local.clone())
    }

    pub(crate) fn current_remote_description(&self) -> Option<SessionDescription> {
        self.shared().lock(|core| core.negotiation.current_remote.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn there_are_no_more_transceivers_than_the_limit() {
        let connection = PeerConnection::open(&RtcConfiguration::default()).unwrap();
        let add = || {
            let direction = RtpTransceiverDirection::RecvOnly;
            let (stream_ids, send_encodings) = (Vec::new(), Vec::new());
            let init = RtpTransceiverInit { direction, stream_ids, send_encodings };
            connection.add_transceiver_for_media(MediaType::Audio, init)
        };
        assert!((0..LIMIT).all(|_| add().is_ok()));
        let error = add().expect_err("there are as many as there may be").to_string();
        assert!(error.contains("there are 1024 transceivers already"), "{error}");
    }
}
