//! Makes connections and tracks.

#![expect(clippy::needless_pass_by_value, reason = "the signatures are upstream's")]

use std::fmt;

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

/// Makes connections and tracks. It holds nothing: connections share nothing.
#[derive(Clone, Debug, Default)]
pub struct PeerConnectionFactory {}

impl PeerConnectionFactory {
    /// Upstream's option for video; the same as the default here.
    pub fn with_zero_playout_delay() -> Self {
        Self::default()
    }

    /// Upstream's options: for video, and for DTLS inside of ICE. The same as the default here.
    pub fn with_options(_zero_playout_delay: bool, _enable_warp: bool) -> Self {
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

    /// What can be sent.
    pub fn get_rtp_sender_capabilities(&self, media_type: MediaType) -> RtpCapabilities {
        capabilities(media_type)
    }

    /// What can be received.
    pub fn get_rtp_receiver_capabilities(&self, media_type: MediaType) -> RtpCapabilities {
        capabilities(media_type)
    }
}

fn capabilities(media_type: MediaType) -> RtpCapabilities {
    let opus = RtpCodecCapability {
        channels: Some(2),
        clock_rate: Some(48_000),
        mime_type: "audio/opus".to_owned(),
        sdp_fmtp_line: Some("minptime=10;useinbandfec=1".to_owned()),
    };
    let codecs = if media_type == MediaType::Audio { vec![opus] } else { Vec::new() };
    RtpCapabilities { codecs, header_extensions: Vec::new() }
}

/// What upstream adds outside of browsers.
pub mod native {
    use std::sync::Arc;

    use super::PeerConnectionFactory;
    use crate::audio_source::native::NativeAudioSource;
    use crate::audio_track::RtcAudioTrack;
    use crate::imp::track::Track;
    use crate::video_source::native::NativeVideoSource;
    use crate::video_track::RtcVideoTrack;

    /// Tracks of one's own, and the sound devices of the machine. This build has no devices: none
    /// is counted, none has a name, and whatever would use one returns false.
    pub trait PeerConnectionFactoryExt {
        /// A track of pictures. To send it is an error in this build.
        fn create_video_track(&self, label: &str, source: NativeVideoSource) -> RtcVideoTrack;
        /// A track of sound that `source` feeds.
        fn create_audio_track(&self, label: &str, source: NativeAudioSource) -> RtcAudioTrack;
        /// A track of the microphone, which stays silent in this build.
        fn create_device_audio_track(&self, label: &str) -> RtcAudioTrack;
        /// How many loudspeakers there are.
        fn playout_devices(&self) -> i16;
        /// How many microphones there are.
        fn recording_devices(&self) -> i16;
        /// A loudspeaker's name.
        fn playout_device_name(&self, index: u16) -> String;
        /// A microphone's name.
        fn recording_device_name(&self, index: u16) -> String;
        /// A loudspeaker's lasting name.
        fn playout_device_guid(&self, index: u16) -> String;
        /// A microphone's lasting name.
        fn recording_device_guid(&self, index: u16) -> String;
        /// Chooses a loudspeaker.
        fn set_playout_device(&self, index: u16) -> bool;
        /// Chooses a microphone.
        fn set_recording_device(&self, index: u16) -> bool;
        /// Chooses a loudspeaker by its lasting name.
        fn set_playout_device_by_guid(&self, guid: &str) -> bool;
        /// Chooses a microphone by its lasting name.
        fn set_recording_device_by_guid(&self, guid: &str) -> bool;
        /// Stops the microphone.
        fn stop_recording(&self) -> bool;
        /// Opens the microphone.
        fn init_recording(&self) -> bool;
        /// Starts the microphone.
        fn start_recording(&self) -> bool;
        /// Whether the microphone is open.
        fn recording_is_initialized(&self) -> bool;
        /// Stops the loudspeaker.
        fn stop_playout(&self) -> bool;
        /// Opens the loudspeaker.
        fn init_playout(&self) -> bool;
        /// Starts the loudspeaker.
        fn start_playout(&self) -> bool;
        /// Whether the loudspeaker is open.
        fn playout_is_initialized(&self) -> bool;
        /// Whether the device takes out echoes.
        fn builtin_aec_is_available(&self) -> bool;
        /// Whether the device keeps sound equally loud.
        fn builtin_agc_is_available(&self) -> bool;
        /// Whether the device takes out noise.
        fn builtin_ns_is_available(&self) -> bool;
        /// Has the device take out echoes.
        fn enable_builtin_aec(&self, enable: bool) -> bool;
        /// Has the device keep sound equally loud.
        fn enable_builtin_agc(&self, enable: bool) -> bool;
        /// Has the device take out noise.
        fn enable_builtin_ns(&self, enable: bool) -> bool;
        /// Allows the microphone.
        fn set_adm_recording_enabled(&self, enabled: bool);
        /// Whether the microphone is allowed.
        fn adm_recording_enabled(&self) -> bool;
        /// Allows the loudspeaker.
        fn set_adm_playout_enabled(&self, enabled: bool);
        /// Whether the loudspeaker is allowed.
        fn adm_playout_enabled(&self) -> bool;
        /// Takes hold of the devices.
        fn acquire_platform_adm(&self) -> bool;
        /// Lets go of the devices.
        fn release_platform_adm(&self);
        /// How many hold the devices.
        fn platform_adm_ref_count(&self) -> i32;
        /// Whether anyone holds the devices.
        fn is_platform_adm_active(&self) -> bool;
    }

    impl PeerConnectionFactoryExt for PeerConnectionFactory {
        fn create_video_track(&self, label: &str, _source: NativeVideoSource) -> RtcVideoTrack {
            RtcVideoTrack { handle: Arc::new(Track::new(label)) }
        }

        fn create_audio_track(&self, label: &str, source: NativeAudioSource) -> RtcAudioTrack {
            RtcAudioTrack { handle: Arc::new(Track::fed_by(label, source)) }
        }

        fn create_device_audio_track(&self, label: &str) -> RtcAudioTrack {
            RtcAudioTrack { handle: Arc::new(Track::new(label)) }
        }

        fn playout_devices(&self) -> i16 {
            0
        }

        fn recording_devices(&self) -> i16 {
            0
        }

        fn playout_device_name(&self, _index: u16) -> String {
            String::new()
        }

        fn recording_device_name(&self, _index: u16) -> String {
            String::new()
        }

        fn playout_device_guid(&self, _index: u16) -> String {
            String::new()
        }

        fn recording_device_guid(&self, _index: u16) -> String {
            String::new()
        }

        fn set_playout_device(&self, _index: u16) -> bool {
            false
        }

        fn set_recording_device(&self, _index: u16) -> bool {
            false
        }

        fn set_playout_device_by_guid(&self, _guid: &str) -> bool {
            false
        }

        fn set_recording_device_by_guid(&self, _guid: &str) -> bool {
            false
        }

        fn stop_recording(&self) -> bool {
            false
        }

        fn init_recording(&self) -> bool {
            false
        }

        fn start_recording(&self) -> bool {
            false
        }

        fn recording_is_initialized(&self) -> bool {
            false
        }

        fn stop_playout(&self) -> bool {
            false
        }

        fn init_playout(&self) -> bool {
            false
        }

        fn start_playout(&self) -> bool {
            false
        }

        fn playout_is_initialized(&self) -> bool {
            false
        }

        fn builtin_aec_is_available(&self) -> bool {
            false
        }

        fn builtin_agc_is_available(&self) -> bool {
            false
        }

        fn builtin_ns_is_available(&self) -> bool {
            false
        }

        fn enable_builtin_aec(&self, _enable: bool) -> bool {
            false
        }

        fn enable_builtin_agc(&self, _enable: bool) -> bool {
            false
        }

        fn enable_builtin_ns(&self, _enable: bool) -> bool {
            false
        }

        fn set_adm_recording_enabled(&self, _enabled: bool) {}

        fn adm_recording_enabled(&self) -> bool {
            false
        }

        fn set_adm_playout_enabled(&self, _enabled: bool) {}

        fn adm_playout_enabled(&self) -> bool {
            false
        }

        fn acquire_platform_adm(&self) -> bool {
            false
        }

        fn release_platform_adm(&self) {}

        fn platform_adm_ref_count(&self) -> i32 {
            0
        }

        fn is_platform_adm_active(&self) -> bool {
            false
        }
    }
}
