//! Figures of a connection, as W3C's webrtc-stats names them.
//!
//! A report is one [`RtcStats`]; what kinds of report share stands in [`dictionaries`].

#![expect(missing_docs, reason = "the names and their meanings are those of W3C's webrtc-stats")]

pub mod dictionaries;

use serde::Deserialize;

/// One report, by kind.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum RtcStats {
    Codec(CodecStats),
    InboundRtp(InboundRtpStats),
    OutboundRtp(OutboundRtpStats),
    RemoteInboundRtp(RemoteInboundRtpStats),
    RemoteOutboundRtp(RemoteOutboundRtpStats),
    MediaSource(MediaSourceStats),
    MediaPlayout(MediaPlayoutStats),
    PeerConnection(PeerConnectionStats),
    DataChannel(DataChannelStats),
    Transport(TransportStats),
    CandidatePair(CandidatePairStats),
    LocalCandidate(LocalCandidateStats),
    RemoteCandidate(RemoteCandidateStats),
    Certificate(CertificateStats),
    Stream(StreamStats),
    Track,
}

#[derive(Debug, Default, Copy, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QualityLimitationReason {
    #[default]
    None,
    Cpu,
    Bandwidth,
    Other,
}

#[derive(Debug, Default, Copy, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IceRole {
    #[default]
    Unknown,
    Controlling,
    Controlled,
}

#[derive(Debug, Copy, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DtlsTransportState {
    New,
    Connecting,
    Connected,
    Closed,
    Failed,
}

#[derive(Debug, Copy, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IceTransportState {
    New,
    Checking,
    Connected,
    Completed,
    Disconnected,
    Failed,
    Closed,
}

#[derive(Debug, Default, Copy, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DtlsRole {
    Client,
    Server,
    #[default]
    Unknown,
}

#[derive(Debug, Copy, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IceCandidatePairState {
    Frozen,
    Waiting,
    InProgress,
    Failed,
    Succeeded,
}

#[derive(Debug, Copy, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IceCandidateType {
    Host,
    Srflx,
    Prflx,
    Relay,
}

#[derive(Debug, Copy, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IceServerTransportProtocol {
    Udp,
    Tcp,
    Tls,
}

#[derive(Debug, Copy, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IceTcpCandidateType {
    Active,
    Passive,
    So,
}

#[derive(Debug, Default, Clone, Deserialize)]
pub struct CodecStats {
    #[serde(flatten)]
    pub rtc: dictionaries::RtcStats,
    #[serde(flatten)]
    pub codec: dictionaries::CodecStats,
}

#[derive(Debug, Default, Clone, Deserialize)]
pub struct InboundRtpStats {
    #[serde(flatten)]
    pub rtc: dictionaries::RtcStats,
    #[serde(flatten)]
    pub stream: dictionaries::RtpStreamStats,
    #[serde(flatten)]
    pub received: dictionaries::ReceivedRtpStreamStats,
    #[serde(flatten)]
    pub inbound: dictionaries::InboundRtpStreamStats,
}

#[derive(Debug, Default, Clone, Deserialize)]
pub struct OutboundRtpStats {
    #[serde(flatten)]
    pub rtc: dictionaries::RtcStats,
    #[serde(flatten)]
    pub stream: dictionaries::RtpStreamStats,
    #[serde(flatten)]
    pub sent: dictionaries::SentRtpStreamStats,
    #[serde(flatten)]
    pub outbound: dictionaries::OutboundRtpStreamStats,
}

#[derive(Debug, Default, Clone, Deserialize)]
pub struct RemoteInboundRtpStats {
    #[serde(flatten)]
    pub rtc: dictionaries::RtcStats,
    #[serde(flatten)]
    pub stream: dictionaries::RtpStreamStats,
    #[serde(flatten)]
    pub received: dictionaries::ReceivedRtpStreamStats,
    #[serde(flatten)]
    pub remote_inbound: dictionaries::RemoteInboundRtpStreamStats,
}

#[derive(Debug, Default, Clone, Deserialize)]
pub struct RemoteOutboundRtpStats {
    #[serde(flatten)]
    pub rtc: dictionaries::RtcStats,
    #[serde(flatten)]
    pub stream: dictionaries::RtpStreamStats,
    #[serde(flatten)]
    pub sent: dictionaries::SentRtpStreamStats,
    #[serde(flatten)]
    pub remote_outbound: dictionaries::RemoteOutboundRtpStreamStats,
}

#[derive(Debug, Default, Clone, Deserialize)]
pub struct MediaSourceStats {
    #[serde(flatten)]
    pub rtc: dictionaries::RtcStats,
    #[serde(flatten)]
    pub source: dictionaries::MediaSourceStats,
    #[serde(flatten)]
    pub audio: dictionaries::AudioSourceStats,
    #[serde(flatten)]
    pub video: dictionaries::VideoSourceStats,
}

#[derive(Debug, Default, Clone, Deserialize)]
pub struct MediaPlayoutStats {
    #[serde(flatten)]
    pub rtc: dictionaries::RtcStats,
    #[serde(flatten)]
    pub audio_playout: dictionaries::AudioPlayoutStats,
}

#[derive(Debug, Default, Clone, Deserialize)]
pub struct PeerConnectionStats {
    #[serde(flatten)]
    pub rtc: dictionaries::RtcStats,
    #[serde(flatten)]
    pub pc: dictionaries::PeerConnectionStats,
}

#[derive(Debug, Default, Clone, Deserialize)]
pub struct DataChannelStats {
    #[serde(flatten)]
    pub rtc: dictionaries::RtcStats,
    #[serde(flatten)]
    pub dc: dictionaries::DataChannelStats,
}

#[derive(Debug, Default, Clone, Deserialize)]
pub struct TransportStats {
    #[serde(flatten)]
    pub rtc: dictionaries::RtcStats,
    #[serde(flatten)]
    pub transport: dictionaries::TransportStats,
}

#[derive(Debug, Default, Clone, Deserialize)]
pub struct CandidatePairStats {
    #[serde(flatten)]
    pub rtc: dictionaries::RtcStats,
    #[serde(flatten)]
    pub candidate_pair: dictionaries::CandidatePairStats,
}

#[derive(Debug, Default, Clone, Deserialize)]
pub struct LocalCandidateStats {
    #[serde(flatten)]
    pub rtc: dictionaries::RtcStats,
    #[serde(flatten)]
    pub local_candidate: dictionaries::IceCandidateStats,
}

#[derive(Debug, Default, Clone, Deserialize)]
pub struct RemoteCandidateStats {
    #[serde(flatten)]
    pub rtc: dictionaries::RtcStats,
    #[serde(flatten)]
    pub remote_candidate: dictionaries::IceCandidateStats,
}

#[derive(Debug, Default, Clone, Deserialize)]
pub struct CertificateStats {
    #[serde(flatten)]
    pub rtc: dictionaries::RtcStats,
    #[serde(flatten)]
    pub certificate: dictionaries::CertificateStats,
}

#[derive(Debug, Default, Clone, Deserialize)]
pub struct StreamStats {
    #[serde(flatten)]
    pub rtc: dictionaries::RtcStats,
    #[serde(flatten)]
    pub stream: dictionaries::StreamStats,
}

#[derive(Debug, Default, Clone, Deserialize)]
pub struct TrackStats {}
