//! The sections of media of a connection: what is wanted of each, and what was agreed on.

use std::sync::Arc;

use str0m::Rtc;
use str0m::media::{Direction, MediaKind, Mid};
use tokio::sync::Notify;

use super::super::sdp::{Opus, Section, SectionKind};
use super::ciphers::Ciphers;
use super::inbound::Inbound;
use super::member::Key;
use super::receiving::Receiving;
use super::sending::{Outbound, Sending};
use crate::audio_track::RtcAudioTrack;
use crate::imp::audio::clock::RATE_HZ;
use crate::imp::track::Track;
use crate::media_stream::MediaStream;
use crate::media_stream_track::{MediaStreamTrack, RtcTrackState};
use crate::native::create_random_uuid;
use crate::rtp_parameters::{RtpCodecParameters, RtpParameters};
use crate::rtp_transceiver::RtpTransceiverDirection;
use crate::video_track::RtcVideoTrack;

/// How many sections a connection has at most; a peer cannot make us hold more.
pub(in super::super) const LIMIT: usize = 1024;

/// One section of media.
pub(crate) struct Transceiver {
    pub(in super::super) kind: MediaKind,
    /// The section, once an offer with it is set.
    pub(crate) mid: Option<Mid>,
    /// The direction wanted.
    pub(crate) direction: RtpTransceiverDirection,
    /// The direction agreed on.
    pub(crate) current: Option<RtpTransceiverDirection>,
    pub(crate) sent: Option<MediaStreamTrack>,
    /// The names in the description: they stay when the track changes.
    pub(in super::super) sent_names: Option<(String, String)>,
    pub(crate) received: MediaStreamTrack,
    /// The streams that the peer sends the track in; none while it sends none.
    pub(crate) stream_ids: Vec<String>,
    pub(crate) parameters: RtpParameters,
    /// How the peer wants to receive Opus.
    pub(super) opus: Option<Opus>,
    pub(super) sending: Option<Sending>,
    pub(in super::super) outbound: Outbound,
    pub(super) receiving: Option<Receiving>,
    pub(super) inbound: Inbound,
    pub(crate) ciphers: Ciphers,
}

impl Transceiver {
    pub(in super::super) fn new(kind: MediaKind, direction: RtpTransceiverDirection) -> Self {
        Self {
            kind,
            mid: None,
            direction,
            current: None,
            sent: None,
            sent_names: None,
            received: new_track(kind, &create_random_uuid()),
            stream_ids: Vec::new(),
            parameters: RtpParameters::default(),
            opus: None,
            sending: None,
            outbound: Outbound::default(),
            receiving: None,
            inbound: Inbound::default(),
            ciphers: Ciphers::default(),
        }
    }

    /// What was agreed on.
    pub(crate) fn codecs(&self) -> Vec<RtpCodecParameters> {
        let codec = |opus: &Opus| RtpCodecParameters {
            payload_type: opus.payload_type,
            mime_type: "audio/opus".to_owned(),
            clock_rate: Some(RATE_HZ.into()),
            channels: Some(2),
        };
        self.opus.iter().map(codec).collect()
    }

    /// The streams that the peer sends the track in.
    pub(crate) fn streams(&self) -> Vec<MediaStream> {
        let stream =
            |id: &String| MediaStream { id: id.clone(), tracks: vec![self.received.clone()] };
        self.stream_ids.iter().map(stream).collect()
    }

    /// Wants it used no more.
    pub(crate) fn stop(&mut self) {
        self.direction = RtpTransceiverDirection::Inactive;
        self.sent = None;
    }

    /// Wants nothing sent in it any more.
    pub(in super::super) fn stop_sending(&mut self) {
        use RtpTransceiverDirection::{Inactive, RecvOnly, SendOnly, SendRecv};
        self.sent = None;
        self.direction = match self.direction {
            SendRecv => RecvOnly,
            SendOnly => Inactive,
            other => other,
        };
    }

    /// Applies what the peer says of the section. Returns whether it began to send a track.
    fn apply_remote(&mut self, section: &Section, driver: &Arc<Notify>) -> bool {
        self.opus = section.opus;
        let streams = if section.sends { section.streams.clone() } else { Vec::new() };
        let begins = streams.iter().any(|stream| !self.stream_ids.contains(stream));
        if streams.is_empty() && !self.stream_ids.is_empty() {
            end(&self.received);
        }
        if begins && self.received.state() == RtcTrackState::Ended {
            self.received = new_track(self.kind, &create_random_uuid());
            set_driver(&self.received, driver);
        }
        self.stream_ids = streams;
        begins
    }
}

/// All sections, in the order of adding.
pub(crate) struct Transceivers {
    all: Vec<Transceiver>,
    /// What is sent may have to change.
    changed: bool,
    /// The connection's task, which remote tracks wake.
    driver: Arc<Notify>,
}

impl Transceivers {
    pub(in super::super) fn new(driver: Arc<Notify>) -> Self {
        Self { all: Vec::new(), changed: false, driver }
    }

    /// Has what is sent looked through before the next packet.
    pub(in super::super) fn set_changed(&mut self) {
        self.changed = true;
    }

    pub(super) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    pub(in super::super) fn add(&mut self, transceiver: Transceiver) -> Key {
        set_driver(&transceiver.received, &self.driver);
        self.all.push(transceiver);
        Key(self.all.len() - 1)
    }

    pub(in super::super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(in super::super) fn get(&self, key: Key) -> &Transceiver {
        &self.all[key.0]
    }

    pub(in super::super) fn get_mut(&mut self, key: Key) -> &mut Transceiver {
        &mut self.all[key.0]
    }

    pub(in super::super) fn iter(&self) -> impl Iterator<Item = (Key, &Transceiver)> {
        self.all.iter().enumerate().map(|(at, transceiver)| (Key(at), transceiver))
    }

    pub(in super::super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Transceiver> {
        self.all.iter_mut()
    }

    pub(in super::super) fn by_mid(&mut self, mid: Mid) -> Option<&mut Transceiver> {
        self.all.iter_mut().find(|transceiver| transceiver.mid == Some(mid))
    }

    /// Applies what the peer's description says, and what str0m made of it. Sections that only the
    /// peer has become ours. Returns those in which the peer began to send a track.
    pub(in super::super) fn apply_remote(&mut self, sections: &[Section], rtc: &Rtc) -> Vec<Key> {
        let mut begun = Vec::new();
        for section in sections {
            let kind = match section.kind {
                SectionKind::Audio => MediaKind::Audio,
                SectionKind::Video => MediaKind::Video,
                SectionKind::Application | SectionKind::Other => continue,
            };
            let mid = Mid::from(section.mid.as_str());
            let Some(key) = self.find_or_add(mid, kind, section) else { continue };
            if self.all[key.0].apply_remote(section, &self.driver) {
                begun.push(key);
            }
        }
        for transceiver in &mut self.all {
            let media = transceiver.mid.and_then(|mid| rtc.media(mid));
            transceiver.current = media.map(|media| from_str0m(media.direction()));
        }
        self.changed = true;
        begun
    }

    fn find_or_add(&mut self, mid: Mid, kind: MediaKind, section: &Section) -> Option<Key> {
        let found = self.all.iter().position(|transceiver| transceiver.mid == Some(mid));
        if let Some(at) = found {
            return Some(Key(at));
        }
        if self.all.len() >= LIMIT {
            return None;
        }
        let mut transceiver = Transceiver::new(kind, RtpTransceiverDirection::RecvOnly);
        transceiver.mid = Some(mid);
        if let Some(name) = &section.track {
            transceiver.received = new_track(kind, name);
        }
        Some(self.add(transceiver))
    }

    /// Ends all remote tracks, and lets go of all local ones.
    pub(in super::super) fn end(&mut self) {
        for transceiver in &mut self.all {
            end(&transceiver.received);
            transceiver.sending = None;
            transceiver.receiving = None;
        }
    }
}

fn new_track(kind: MediaKind, id: &str) -> MediaStreamTrack {
    let handle = Arc::new(Track::new(id));
    match kind {
        MediaKind::Audio => MediaStreamTrack::Audio(RtcAudioTrack { handle }),
        MediaKind::Video => MediaStreamTrack::Video(RtcVideoTrack { handle }),
    }
}

fn set_driver(track: &MediaStreamTrack, driver: &Arc<Notify>) {
    match track {
        MediaStreamTrack::Audio(track) => track.handle.set_driver(driver.clone()),
        MediaStreamTrack::Video(track) => track.handle.set_driver(driver.clone()),
    }
}

fn end(track: &MediaStreamTrack) {
    match track {
        MediaStreamTrack::Audio(track) => track.handle.end(),
        MediaStreamTrack::Video(track) => track.handle.end(),
    }
}

pub(in super::super) fn to_str0m(direction: RtpTransceiverDirection) -> Direction {
    match direction {
        RtpTransceiverDirection::SendRecv => Direction::SendRecv,
        RtpTransceiverDirection::SendOnly => Direction::SendOnly,
        RtpTransceiverDirection::RecvOnly => Direction::RecvOnly,
        RtpTransceiverDirection::Inactive | RtpTransceiverDirection::Stopped => Direction::Inactive,
    }
}

fn from_str0m(direction: Direction) -> RtpTransceiverDirection {
    match direction {
        Direction::SendRecv => RtpTransceiverDirection::SendRecv,
        Direction::SendOnly => RtpTransceiverDirection::SendOnly,
        Direction::RecvOnly => RtpTransceiverDirection::RecvOnly,
        Direction::Inactive => RtpTransceiverDirection::Inactive,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(sends: bool, streams: &[&str]) -> Section {
        let streams = streams.iter().map(|&stream| stream.to_owned()).collect();
        Section {
            kind: SectionKind::Audio,
            mid: "0".to_owned(),
            sends,
            streams,
            track: None,
            opus: None,
        }
    }

    #[test]
    fn a_section_that_is_used_again_has_a_new_track() {
        let mut it = Transceiver::new(MediaKind::Audio, RtpTransceiverDirection::RecvOnly);
        let first = it.received.clone();
        let driver = Arc::default();
        assert!(it.apply_remote(&section(true, &["PA_1|TR_1"]), &driver));
        assert!(!it.apply_remote(&section(true, &["PA_1|TR_1"]), &driver));
        assert_eq!(it.received.id(), first.id());
        assert!(!it.apply_remote(&section(false, &["PA_1|TR_1"]), &driver));
        assert_eq!(first.state(), RtcTrackState::Ended);
        assert!(it.streams().is_empty());
        assert!(it.apply_remote(&section(true, &["PA_2|TR_2"]), &driver));
        assert_ne!(it.received.id(), first.id());
        assert_eq!(it.streams()[0].id(), "PA_2|TR_2");
    }

    #[test]
    fn a_description_makes_no_more_sections_than_the_limit() {
        let now = tokio::time::Instant::now().into_std();
        let rtc = str0m::RtcConfig::new().build(now);
        let named = |number: usize| Section { mid: number.to_string(), ..section(true, &["PA"]) };
        let sections: Vec<_> = (0..LIMIT + 10).map(named).collect();
        let mut all = Transceivers::new(Arc::default());
        assert_eq!(all.apply_remote(&sections, &rtc).len(), LIMIT);
        assert_eq!(all.len(), LIMIT);
    }

    #[test]
    fn what_sends_no_more_still_receives() {
        use RtpTransceiverDirection::{Inactive, RecvOnly, SendOnly, SendRecv};
        for (before, after) in [(SendRecv, RecvOnly), (SendOnly, Inactive), (RecvOnly, RecvOnly)] {
            let mut it = Transceiver::new(MediaKind::Audio, before);
            it.stop_sending();
            assert_eq!(it.direction, after);
        }
    }
}
