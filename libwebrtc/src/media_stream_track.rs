//! A track of either kind.

use crate::audio_track::RtcAudioTrack;
use crate::enum_dispatch;
use crate::video_track::RtcVideoTrack;

/// Whether a track may still carry anything.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum RtcTrackState {
    /// It may.
    Live,
    /// It never will again.
    Ended,
}

/// A track; clones are the same track.
#[derive(Debug, Clone)]
pub enum MediaStreamTrack {
    /// Pictures.
    Video(RtcVideoTrack),
    /// Sound.
    Audio(RtcAudioTrack),
}

impl MediaStreamTrack {
    enum_dispatch!(
        [Video, Audio];
        /// The track's name, the same in the description.
        pub fn id(self: &Self) -> String;
        /// Whether it carries more than silence.
        pub fn enabled(self: &Self) -> bool;
        /// Mutes or opens it; whether that changed anything.
        pub fn set_enabled(self: &Self, enabled: bool) -> bool;
        /// Whether it is live.
        pub fn state(self: &Self) -> RtcTrackState;
    );
}

impl From<RtcAudioTrack> for MediaStreamTrack {
    fn from(track: RtcAudioTrack) -> Self {
        Self::Audio(track)
    }
}

impl From<RtcVideoTrack> for MediaStreamTrack {
    fn from(track: RtcVideoTrack) -> Self {
        Self::Video(track)
    }
}
