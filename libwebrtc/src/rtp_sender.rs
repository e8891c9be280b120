//! The half of a transceiver that sends.

use std::fmt;

use crate::RtcError;
use crate::imp::peer_connection::Member;
use crate::media_stream_track::MediaStreamTrack;
use crate::rtp_parameters::RtpParameters;
use crate::stats::RtcStats;

/// What encodes pictures: nothing, in this build. `livekit` asks for the default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum VideoEncoderBackend {
    /// Whatever there is.
    #[default]
    Auto,
}

impl VideoEncoderBackend {
    /// The encoders of this build: none.
    pub fn list_available() -> impl IntoIterator<Item = VideoEncoderBackend> {
        std::iter::empty()
    }
}

/// The half that sends; clones are the same half.
#[derive(Clone)]
pub struct RtpSender {
    pub(crate) handle: Member,
}

impl RtpSender {
    /// The track that it sends.
    pub fn track(&self) -> Option<MediaStreamTrack> {
        self.handle.read(|transceiver| transceiver.sent.clone())
    }

    /// Figures of what was sent.
    pub async fn get_stats(&self) -> Result<Vec<RtcStats>, RtcError> {
        Ok(self.handle.sent_stats())
    }

    /// Sends another track from now on, or none. The description keeps the first one's name.
    pub fn set_track(&self, track: Option<MediaStreamTrack>) -> Result<(), RtcError> {
        if matches!(track, Some(MediaStreamTrack::Video(_))) {
            return Err(RtcError::unsupported("sending video"));
        }
        self.handle.write(|transceiver| transceiver.sent = track);
        Ok(())
    }

    /// How it encodes.
    pub fn parameters(&self) -> RtpParameters {
        self.handle.read(|transceiver| {
            let parameters = transceiver.parameters.clone();
            RtpParameters { codecs: transceiver.codecs(), ..parameters }
        })
    }

    /// Changes how it encodes.
    pub fn set_parameters(&self, parameters: RtpParameters) -> Result<(), RtcError> {
        self.handle.write(|transceiver| transceiver.parameters = parameters);
        Ok(())
    }

    /// Does nothing: whatever there is, is none.
    pub fn set_video_encoder_backend(&self, _backend: VideoEncoderBackend) {}
}

impl fmt::Debug for RtpSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RtpSender").field("track", &self.track()).finish()
    }
}
