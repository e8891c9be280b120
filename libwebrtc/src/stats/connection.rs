//! The connection, its path, and its data channels.

use crate::data_channel::DataChannelState;

/// The connection as a whole.
#[derive(Debug, Default, Clone, PartialEq)]
#[non_exhaustive]
pub struct PeerConnectionStats {
    /// The report's name.
    pub id: String,
    /// Data channels that were ever open.
    pub data_channels_opened: u32,
    /// Data channels that were open and are closed.
    pub data_channels_closed: u32,
}

/// A data channel.
#[derive(Debug, Default, Clone, PartialEq)]
#[non_exhaustive]
pub struct DataChannelStats {
    /// The report's name.
    pub id: String,
    /// The channel's name.
    pub label: String,
    /// What both sides agreed to speak on it; empty where nothing was said.
    pub protocol: String,
    /// The stream, 0 to 65534, once it has one.
    pub data_channel_identifier: Option<u16>,
    /// Where it stands.
    pub state: Option<DataChannelState>,
    /// Messages that `send` took.
    pub messages_sent: u32,
    /// Their bytes, without headers.
    pub bytes_sent: u64,
    /// Messages that arrived whole.
    pub messages_received: u32,
    /// Their bytes, without headers.
    pub bytes_received: u64,
}

/// What carries everything.
#[derive(Debug, Default, Clone, PartialEq)]
#[non_exhaustive]
pub struct TransportStats {
    /// The report's name.
    pub id: String,
    /// Datagrams of all kinds.
    pub packets_sent: u64,
    /// Datagrams of all kinds.
    pub packets_received: u64,
    /// Their payload.
    pub bytes_sent: u64,
    /// Their payload.
    pub bytes_received: u64,
    /// Where the exchange of keys stands.
    pub dtls_state: Option<DtlsTransportState>,
    /// Where the search for a path stands.
    pub ice_state: Option<IceTransportState>,
    /// The report of the pair in use, once there is one.
    pub selected_candidate_pair_id: Option<String>,
}

/// An address of ours and one of the peer's.
#[derive(Debug, Default, Clone, PartialEq)]
#[non_exhaustive]
pub struct CandidatePairStats {
    /// The report's name.
    pub id: String,
    /// The transport's report.
    pub transport_id: String,
    /// Our candidate's report.
    pub local_candidate_id: String,
    /// The peer's candidate's report.
    pub remote_candidate_id: String,
    /// How far it was tried.
    pub state: Option<IceCandidatePairState>,
    /// Whether it is the one in use.
    pub nominated: bool,
    /// Datagrams of all kinds.
    pub packets_sent: u64,
    /// Datagrams of all kinds.
    pub packets_received: u64,
    /// Their payload.
    pub bytes_sent: u64,
    /// Their payload.
    pub bytes_received: u64,
    /// Datagrams that were lost here, since too many waited to be sent.
    pub packets_discarded_on_send: u64,
    /// Their payload.
    pub bytes_discarded_on_send: u64,
    /// There and back, in seconds.
    pub current_round_trip_time: Option<f64>,
}

/// An address at which a side may be reached.
#[derive(Debug, Default, Clone, PartialEq)]
#[non_exhaustive]
pub struct IceCandidateStats {
    /// The report's name.
    pub id: String,
    /// The transport's report.
    pub transport_id: String,
    /// The IP address.
    pub address: String,
    /// The port.
    pub port: u16,
    /// `udp` or `tcp`.
    pub protocol: String,
    /// How it was found.
    pub candidate_type: Option<IceCandidateType>,
}

/// How a candidate was found.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum IceCandidateType {
    /// It is the machine's own.
    Host,
    /// A STUN server saw it.
    Srflx,
    /// The peer saw it.
    Prflx,
    /// A TURN server lends it.
    Relay,
}

/// How far a pair was tried.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum IceCandidatePairState {
    /// Not yet, and not next.
    Frozen,
    /// Not yet.
    Waiting,
    /// An answer is awaited.
    InProgress,
    /// None came.
    Failed,
    /// It works.
    Succeeded,
}

/// Where the search for a path stands.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum IceTransportState {
    /// No candidates of the peer yet.
    New,
    /// Pairs are tried.
    Checking,
    /// One works; better ones are tried.
    Connected,
    /// The best one works.
    Completed,
    /// The one in use is silent.
    Disconnected,
    /// None works.
    Failed,
    /// Closed here.
    Closed,
}

/// Where the exchange of keys stands.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum DtlsTransportState {
    /// Not begun.
    New,
    /// Under way.
    Connecting,
    /// Done.
    Connected,
    /// Closed here.
    Closed,
    /// It failed.
    Failed,
}
