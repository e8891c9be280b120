//! A track of sound.

use std::fmt;
use std::sync::Arc;

use crate::imp::track::Track;
use crate::media_stream_track::RtcTrackState;

/// A track of sound, local or remote; clones are the same track.
#[derive(Clone)]
pub struct RtcAudioTrack {
    pub(crate) handle: Arc<Track>,
}

impl RtcAudioTrack {
    /// The track's name, the same in the description.
    pub fn id(&self) -> String {
        self.handle.id().to_owned()
    }

    /// Whether it carries more than silence.
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
}

impl fmt::Debug for RtcAudioTrack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RtcAudioTrack").field(&self.handle).finish()
    }
}
