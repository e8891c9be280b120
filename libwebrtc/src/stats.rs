//! Figures of a connection: the reports and members of W3C's webrtc-stats, in Rust's spelling.
//!
//! A report has its members side by side, those that the standard inherits too. It has those that
//! this build measures; `None` is a figure that is not known yet. Times are in seconds, and
//! counters only grow.

mod connection;
mod media;

pub use connection::{
    CandidatePairStats, DataChannelStats, DtlsTransportState, IceCandidatePairState,
    IceCandidateStats, IceCandidateType, IceTransportState, PeerConnectionStats, TransportStats,
};
pub use media::{
    AudioSourceStats, CodecStats, InboundRtpStats, OutboundRtpStats, RemoteInboundRtpStats,
    RemoteOutboundRtpStats,
};

/// One report; the variant is what the standard calls its type.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum RtcStats {
    /// The connection as a whole.
    PeerConnection(PeerConnectionStats),
    /// What carries everything: ICE and DTLS.
    Transport(TransportStats),
    /// The two addresses in use.
    CandidatePair(CandidatePairStats),
    /// An address of ours.
    LocalCandidate(IceCandidateStats),
    /// An address of the peer's.
    RemoteCandidate(IceCandidateStats),
    /// A data channel.
    DataChannel(DataChannelStats),
    /// A codec that was agreed on.
    Codec(CodecStats),
    /// A source of sound that is sent.
    MediaSource(AudioSourceStats),
    /// A stream that we send.
    OutboundRtp(OutboundRtpStats),
    /// What the peer says of a stream that we send.
    RemoteInboundRtp(RemoteInboundRtpStats),
    /// A stream that we receive.
    InboundRtp(InboundRtpStats),
    /// What the peer says of a stream that we receive.
    RemoteOutboundRtp(RemoteOutboundRtpStats),
}

impl RtcStats {
    /// The report's name, by which others refer to it; it stays the same in later reports.
    pub fn id(&self) -> &str {
        match self {
            Self::PeerConnection(it) => &it.id,
            Self::Transport(it) => &it.id,
            Self::CandidatePair(it) => &it.id,
            Self::LocalCandidate(it) | Self::RemoteCandidate(it) => &it.id,
            Self::DataChannel(it) => &it.id,
            Self::Codec(it) => &it.id,
            Self::MediaSource(it) => &it.id,
            Self::OutboundRtp(it) => &it.id,
            Self::RemoteInboundRtp(it) => &it.id,
            Self::InboundRtp(it) => &it.id,
            Self::RemoteOutboundRtp(it) => &it.id,
        }
    }
}
