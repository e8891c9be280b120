//! Tracks that belong together: what one participant sends under one name.

use std::fmt;

use crate::audio_track::RtcAudioTrack;
use crate::media_stream_track::MediaStreamTrack;
use crate::video_track::RtcVideoTrack;

/// A stream of the other side, as its description names it.
#[derive(Clone)]
pub struct MediaStream {
    pub(crate) id: String,
    pub(crate) tracks: Vec<MediaStreamTrack>,
}

impl MediaStream {
    /// The name: `PA_…|TR_…` where a LiveKit server sends.
    pub fn id(&self) -> String {
        self.id.clone()
    }

    /// Its tracks of sound.
    pub fn audio_tracks(&self) -> Vec<RtcAudioTrack> {
        let audio = |track: &MediaStreamTrack| match track {
            MediaStreamTrack::Audio(track) => Some(track.clone()),
            MediaStreamTrack::Video(_) => None,
        };
        self.tracks.iter().filter_map(audio).collect()
    }

    /// Its tracks of pictures.
    pub fn video_tracks(&self) -> Vec<RtcVideoTrack> {
        let video = |track: &MediaStreamTrack| match track {
            MediaStreamTrack::Video(track) => Some(track.clone()),
            MediaStreamTrack::Audio(_) => None,
        };
        self.tracks.iter().filter_map(video).collect()
    }
}

impl fmt::Debug for MediaStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediaStream").field("id", &self.id).field("tracks", &self.tracks).finish()
    }
}
