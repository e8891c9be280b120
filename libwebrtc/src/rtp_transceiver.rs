//! A section of media in the description: what is sent in it, and what is received.

use std::fmt;

use crate::RtcError;
use crate::imp::peer_connection::Member;
use crate::rtp_parameters::{RtpCodecCapability, RtpEncodingParameters};
use crate::rtp_receiver::RtpReceiver;
use crate::rtp_sender::RtpSender;

/// How a transceiver begins.
#[derive(Debug, Clone)]
pub struct RtpTransceiverInit {
    /// Which ways media is to flow.
    pub direction: RtpTransceiverDirection,
    /// The streams that the track sent belongs to; the first is used.
    pub stream_ids: Vec<String>,
    /// How the track is to be encoded.
    pub send_encodings: Vec<RtpEncodingParameters>,
}

/// Which ways media flows, as seen from here.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum RtpTransceiverDirection {
    /// Both ways.
    SendRecv,
    /// From here.
    SendOnly,
    /// To here.
    RecvOnly,
    /// Neither way.
    Inactive,
    /// Never again.
    Stopped,
}

/// A section of media; clones are the same section.
#[derive(Clone)]
pub struct RtpTransceiver {
    pub(crate) handle: Member,
}

impl RtpTransceiver {
    /// The section's identifier, once an offer with it is set.
    pub fn mid(&self) -> Option<String> {
        self.handle.read(|transceiver| transceiver.mid.map(|mid| mid.to_string()))
    }

    /// The direction that was agreed on last.
    pub fn current_direction(&self) -> Option<RtpTransceiverDirection> {
        self.handle.read(|transceiver| transceiver.current)
    }

    /// The direction wanted.
    pub fn direction(&self) -> RtpTransceiverDirection {
        self.handle.read(|transceiver| transceiver.direction)
    }

    /// The half that sends.
    pub fn sender(&self) -> RtpSender {
        RtpSender { handle: self.handle.clone() }
    }

    /// The half that receives.
    pub fn receiver(&self) -> RtpReceiver {
        RtpReceiver { handle: self.handle.clone() }
    }

    /// Fails: sound is Opus, and nothing else is encoded here.
    pub fn set_codec_preferences(&self, _codecs: Vec<RtpCodecCapability>) -> Result<(), RtcError> {
        Err(RtcError::unsupported("a choice of codecs"))
    }

    /// Wants it inactive from the next offer on.
    pub fn stop(&self) -> Result<(), RtcError> {
        self.handle.write(|transceiver| transceiver.stop());
        Ok(())
    }
}

impl fmt::Debug for RtpTransceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RtpTransceiver")
            .field("mid", &self.mid())
            .field("direction", &self.direction())
            .finish()
    }
}
