//! Makes connections and tracks.

#![expect(clippy::needless_pass_by_value, reason = "the signatures are upstream's")]

pub mod native;

use std::fmt;
use std::sync::Arc;

use crate::imp::absent;
use crate::imp::devices::Devices;
use crate::imp::peer_connection as imp;
use crate::peer_connection::PeerConnection;
use crate::rtp_parameters::{RtpCapabilities, RtpCodecCapability};
use crate::{MediaType, RtcError};

/// A server that helps to find a path. Its password is never printed.
#[derive(Clone)]
pub struct IceServer {
    /// Such as `turn:host:port?transport=udp`.
    pub urls: Vec<String>,
    /// For relays.
    pub username: String,
    /// For relays.
    pub password: String,
}

impl fmt::Debug for IceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceServer").field("urls", &self.urls).finish_non_exhaustive()
    }
}

/// Whether candidates are gathered when the network changes.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum ContinualGatheringPolicy {
    /// Only at the beginning.
    GatherOnce,
    /// Always. In this build, with both: at the beginning, when ICE restarts, and when the peer is
    /// silent or all sending fails.
    GatherContinually,
}

/// Which candidates are used.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum IceTransportsType {
    /// Relays only.
    Relay,
    /// All but our own addresses.
    NoHost,
    /// All.
    All,
}

/// How a connection is to be.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RtcConfiguration {
    /// The servers that help to find a path.
    pub ice_servers: Vec<IceServer>,
    /// Whether candidates are gathered when the network changes.
    pub continual_gathering_policy: ContinualGatheringPolicy,
    /// Which candidates are used. All but our own addresses is an error in this build.
    pub ice_transport_type: IceTransportsType,
    /// Whether SCTP's first exchange goes with the descriptions, where the peer can do so too.
    pub enable_sctp_snap: bool,
}

impl Default for RtcConfiguration {
    fn default() -> Self {
        Self {
            ice_servers: Vec::new(),
            continual_gathering_policy: ContinualGatheringPolicy::GatherContinually,
            ice_transport_type: IceTransportsType::All,
            enable_sctp_snap: false,
        }
    }
}

/// Makes connections and tracks. Clones share no more than two switches for sound devices.
#[derive(Clone, Debug, Default)]
pub struct PeerConnectionFactory {
    devices: Arc<Devices>,
}

impl PeerConnectionFactory {
    /// A factory. The options are upstream's, and neither is in this build:
    ///
    /// - `zero_playout_delay` shows pictures at once; asked for, it warns once.
    /// - `enable_warp` puts the first messages of DTLS into those of ICE where the peer does so
    ///   too; as it is negotiated, connections are made the usual way.
    pub fn with_options(zero_playout_delay: bool, _enable_warp: bool) -> Self {
        if zero_playout_delay {
            absent::warn_once("pictures without a delay of playout");
        }
        Self::default()
    }

    /// A connection, driven by a task of the tokio runtime that this is called in.
    pub fn create_peer_connection(
        &self,
        config: RtcConfiguration,
    ) -> Result<PeerConnection, RtcError> {
        let handle = imp::PeerConnection::open(&config)?;
        Ok(PeerConnection { handle })
    }

    /// What can be sent: Opus, and no video.
    pub fn get_rtp_sender_capabilities(&self, media_type: MediaType) -> RtpCapabilities {
        let codecs = if media_type == MediaType::Audio { vec![opus()] } else { Vec::new() };
        RtpCapabilities { codecs }
    }
}

fn opus() -> RtpCodecCapability {
    RtpCodecCapability {
        channels: Some(2),
        clock_rate: Some(48_000),
        mime_type: "audio/opus".to_owned(),
        sdp_fmtp_line: Some("minptime=10;useinbandfec=1".to_owned()),
    }
}
