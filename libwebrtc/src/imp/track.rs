//! A track as its users hold it: a name, and two switches.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::audio_source::native::NativeAudioSource;
use crate::media_stream_track::RtcTrackState;

/// A track, local or remote.
pub(crate) struct Track {
    id: String,
    enabled: AtomicBool,
    ended: AtomicBool,
    /// What feeds a local track of sound: the encoder takes it from here.
    source: Option<NativeAudioSource>,
}

impl Track {
    pub(crate) fn new(id: &str) -> Self {
        let (enabled, ended) = (AtomicBool::new(true), AtomicBool::new(false));
        Self { id: id.to_owned(), enabled, ended, source: None }
    }

    pub(crate) fn fed_by(id: &str, source: NativeAudioSource) -> Self {
        Self { source: Some(source), ..Self::new(id) }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn enabled(&self) -> bool {
        self.enabled.load(Ordering::Relaxed)
    }

    /// Whether that changed anything.
    pub(crate) fn set_enabled(&self, enabled: bool) -> bool {
        self.enabled.swap(enabled, Ordering::Relaxed) != enabled
    }

    pub(crate) fn state(&self) -> RtcTrackState {
        if self.ended.load(Ordering::Relaxed) { RtcTrackState::Ended } else { RtcTrackState::Live }
    }

    /// Ends it for good.
    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

impl fmt::Debug for Track {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Track")
            .field("id", &self.id)
            .field("enabled", &self.enabled())
            .field("state", &self.state())
            .field("source", &self.source)
            .finish()
    }
}
