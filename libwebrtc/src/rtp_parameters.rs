//! How media is encoded and sent.

use crate::rtp_transceiver::RtpTransceiverDirection;

/// Which of several goes first where there is not room for all.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum Priority {
    /// Last.
    VeryLow,
    /// The usual.
    Low,
    /// Before the usual.
    Medium,
    /// First.
    High,
}

/// What of a picture is given up first where there is not room for all of it.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Default)]
pub enum DegradationPreference {
    /// Neither.
    MaintainFramerateAndResolution,
    /// Its size.
    MaintainFramerate,
    /// Its rate.
    MaintainResolution,
    /// Both in turn.
    #[default]
    Balanced,
}

/// A header extension that was agreed on.
#[derive(Debug, Clone)]
pub struct RtpHeaderExtensionParameters {
    /// Its name.
    pub uri: String,
    /// Its number in packets.
    pub id: i32,
    /// Whether it is encrypted.
    pub encrypted: bool,
}

/// All of it together.
#[derive(Debug, Clone, Default)]
pub struct RtpParameters {
    /// The codecs, best first.
    pub codecs: Vec<RtpCodecParameters>,
    /// The header extensions.
    pub header_extensions: Vec<RtpHeaderExtensionParameters>,
    /// One for each layer; one for sound.
    pub encodings: Vec<RtpEncodingParameters>,
    /// The reports.
    pub rtcp: RtcpParameters,
    degradation_preference: Option<DegradationPreference>,
}

impl RtpParameters {
    /// Sets what of a picture is given up first.
    pub fn set_degradation_preference(&mut self, preference: DegradationPreference) {
        self.degradation_preference = Some(preference);
    }

    /// What of a picture is given up first, where it was set.
    pub fn degradation_preference(&self) -> Option<DegradationPreference> {
        self.degradation_preference
    }
}

/// A codec that was agreed on.
#[derive(Debug, Clone, Default)]
pub struct RtpCodecParameters {
    /// Its number in packets.
    pub payload_type: u8,
    /// Such as `audio/opus`.
    pub mime_type: String,
    /// In hertz.
    pub clock_rate: Option<u64>,
    /// Where it is sound.
    pub channels: Option<u16>,
}

/// The reports about a stream.
#[derive(Debug, Clone, Default)]
pub struct RtcpParameters {
    /// The sender's name in them.
    pub cname: String,
    /// Whether they may come without their usual first part.
    pub reduced_size: bool,
}

/// One layer of a track.
#[derive(Debug, Clone)]
pub struct RtpEncodingParameters {
    /// Whether it is sent.
    pub active: bool,
    /// In bits per second.
    pub max_bitrate: Option<u64>,
    /// In frames per second.
    pub max_framerate: Option<f64>,
    /// Against other layers.
    pub priority: Priority,
    /// Its name among layers.
    pub rid: String,
    /// 2 halves width and height.
    pub scale_resolution_down_by: Option<f64>,
    /// Such as `L3T3`.
    pub scalability_mode: Option<String>,
    /// Whether `ssrc` is set.
    pub has_ssrc: bool,
    /// Its number in packets.
    pub ssrc: u32,
}

impl Default for RtpEncodingParameters {
    fn default() -> Self {
        Self {
            active: true,
            max_bitrate: None,
            max_framerate: None,
            priority: Priority::Low,
            rid: String::new(),
            scale_resolution_down_by: None,
            scalability_mode: None,
            has_ssrc: false,
            ssrc: 0,
        }
    }
}

/// A codec that could be agreed on.
#[derive(Debug, Clone)]
pub struct RtpCodecCapability {
    /// Where it is sound.
    pub channels: Option<u16>,
    /// In hertz.
    pub clock_rate: Option<u64>,
    /// Such as `audio/opus`.
    pub mime_type: String,
    /// Its parameters in a description.
    pub sdp_fmtp_line: Option<String>,
}

/// A header extension that could be agreed on.
#[derive(Debug, Clone)]
pub struct RtpHeaderExtensionCapability {
    /// Its name.
    pub uri: String,
    /// Which way it is used.
    pub direction: RtpTransceiverDirection,
}

/// What this build can do for a kind of media.
#[derive(Debug, Clone)]
pub struct RtpCapabilities {
    /// The codecs, best first.
    pub codecs: Vec<RtpCodecCapability>,
    /// The header extensions.
    pub header_extensions: Vec<RtpHeaderExtensionCapability>,
}
