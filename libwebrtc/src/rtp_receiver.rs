//! The half of a transceiver that receives.

use std::fmt;

use crate::RtcError;
use crate::imp::peer_connection::{Member, Transceiver};
use crate::media_stream::MediaStream;
use crate::media_stream_track::MediaStreamTrack;
use crate::rtp_parameters::RtpParameters;
use crate::stats::RtcStats;

/// The half that receives; clones are the same half.
#[derive(Clone)]
pub struct RtpReceiver {
    pub(crate) handle: Member,
}

impl RtpReceiver {
    /// The track that it feeds.
    pub fn track(&self) -> Option<MediaStreamTrack> {
        Some(self.handle.read(|transceiver| transceiver.received.clone()))
    }

    /// The names of the streams that the other side sends the track in; none while it sends none.
    pub fn stream_ids(&self) -> Vec<String> {
        self.handle.read(|transceiver| transceiver.stream_ids.clone())
    }

    /// The streams that the other side sends the track in; none while it sends none.
    pub fn streams(&self) -> Vec<MediaStream> {
        self.handle.read(|transceiver| transceiver.streams())
    }

    /// Figures of what was received.
    pub async fn get_stats(&self) -> Result<Vec<RtcStats>, RtcError> {
        Ok(self.handle.received_stats())
    }

    /// How the track is encoded, as far as was agreed.
    pub fn parameters(&self) -> RtpParameters {
        let codecs = self.handle.read(Transceiver::codecs);
        RtpParameters { codecs, ..Default::default() }
    }
}

impl fmt::Debug for RtpReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RtpReceiver").field("track", &self.track()).finish()
    }
}
