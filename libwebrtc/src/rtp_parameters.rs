//! How media is encoded and sent.

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

/// How a track is encoded.
#[derive(Debug, Clone, Default)]
pub struct RtpParameters {
    /// What was agreed on: Opus for sound, nothing before. To set it changes nothing.
    pub codecs: Vec<RtpCodecParameters>,
    /// One for each layer; one for sound. A receiver is told of none.
    pub encodings: Vec<RtpEncodingParameters>,
    pub(crate) degradation_preference: Option<DegradationPreference>,
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
    /// As the description says: 2 for Opus, whatever is sent.
    pub channels: Option<u16>,
}

/// One layer of a track. Sound has one, of which `active` and `max_bitrate` are used; the rest is
/// for pictures, and kept.
#[derive(Debug, Clone)]
pub struct RtpEncodingParameters {
    /// Whether it is sent.
    pub active: bool,
    /// In bits per second.
    pub max_bitrate: Option<u64>,
    /// In frames per second.
    pub max_framerate: Option<f64>,
    /// Its name among layers.
    pub rid: String,
    /// 2 halves width and height.
    pub scale_resolution_down_by: Option<f64>,
    /// Such as `L3T3`.
    pub scalability_mode: Option<String>,
}

impl Default for RtpEncodingParameters {
    fn default() -> Self {
        Self {
            active: true,
            max_bitrate: None,
            max_framerate: None,
            rid: String::new(),
            scale_resolution_down_by: None,
            scalability_mode: None,
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

/// What this build can do for a kind of media.
#[derive(Debug, Clone)]
pub struct RtpCapabilities {
    /// The codecs, best first.
    pub codecs: Vec<RtpCodecCapability>,
}
