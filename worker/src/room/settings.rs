//! The limits of a call in a room.

use std::num::NonZeroU32;
use std::time::Duration;

use livekit::participant::ParticipantKind;
use voicegraph_engine::message::AudioFrame;

/// How a room is joined, waited in and left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The rate of the agent's track, in Hz; a voice of another rate is resampled. A multiple of
    /// 100 from 8000 to 48000. Default 24 kHz, the rate of LiveKit's own agents.
    pub voice_rate_hz: NonZeroU32,
    /// How far ahead of its playing sound is handed over. More survives a busier machine, and more
    /// is to be dropped at an interruption. Default 60 ms.
    pub lead: Duration,
    /// Which kinds of participants the agent talks with. Default: people and telephones.
    pub kinds: Vec<ParticipantKind>,
    /// How long joining may take, retries included. Default 20 s.
    pub join_limit: Duration,
    /// How long a caller may take to come. Default 60 s.
    pub caller_limit: Duration,
    /// How long a caller whose connection was lost may take to come back. Default 20 s, for which a
    /// server keeps a room whose people are gone.
    pub return_limit: Duration,
    /// How long the caller may take to listen, before the agent speaks all the same. Default 5 s.
    pub listen_limit: Duration,
    /// How long sound that was recorded before the agent came is waited for, where the caller's
    /// track announces it. Default 3 s, that of LiveKit's own agents.
    pub recording_limit: Duration,
    /// What a network may still hold of the agent's last words when it leaves. Default 400 ms.
    pub goodbye: Duration,
    /// How long leaving may take. Default 10 s.
    pub leave_limit: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            voice_rate_hz: AudioFrame::VOICE_RATE_HZ,
            lead: Duration::from_millis(60),
            kinds: vec![ParticipantKind::Standard, ParticipantKind::Sip],
            join_limit: Duration::from_secs(20),
            caller_limit: Duration::from_secs(60),
            return_limit: Duration::from_secs(20),
            listen_limit: Duration::from_secs(5),
            recording_limit: Duration::from_secs(3),
            goodbye: Duration::from_millis(400),
            leave_limit: Duration::from_secs(10),
        }
    }
}
