//! A track of pictures: it can be named and negotiated, and carries nothing in this build.

use std::fmt;
use std::sync::Arc;

use crate::imp::absent;
use crate::imp::track::Track;
use crate::media_stream_track::RtcTrackState;
use crate::native::packet_trailer::PacketTrailerHandler;

/// A track of pictures; clones are the same track.
#[derive(Clone)]
pub struct RtcVideoTrack {
    pub(crate) handle: Arc<Track>,
}

impl RtcVideoTrack {
    /// The track's name, the same in the description.
    pub fn id(&self) -> String {
        self.handle.id().to_owned()
    }

    /// Whether it carries more than black.
    pub fn enabled(&self) -> bool {
        self.handle.enabled()
    }

    /// Mutes or opens it; whether that changed anything.
    pub fn set_enabled(&self, enabled: bool) -> bool {
        self.handle.set_enabled(enabled)
    }

    /// Whether it is live.
    pub fn state(&self) -> RtcTrackState {
        self.handle.state()
    }

    /// Does nothing, and warns once: no picture has a trailer.
    pub fn set_packet_trailer_handler(&self, _handler: PacketTrailerHandler) {
        absent::warn_once("trailers of pictures");
    }

    /// None, as none is kept.
    pub fn packet_trailer_handler(&self) -> Option<PacketTrailerHandler> {
        None
    }
}

impl fmt::Debug for RtcVideoTrack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RtcVideoTrack").field(&self.handle).finish()
    }
}
