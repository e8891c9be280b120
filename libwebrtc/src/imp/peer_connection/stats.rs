//! The reports of a connection.

use std::net::SocketAddr;

use super::channels::ChannelFigures;
use super::core::Core;
use super::media::{received, sent};
use crate::peer_connection::{IceConnectionState, PeerConnectionState};
use crate::stats::{
    CandidatePairStats, DataChannelStats, DtlsTransportState, IceCandidatePairState,
    IceTransportState, PeerConnectionStats, RtcStats, TransportStats,
};

const CONNECTION: &str = "P";
pub(super) const TRANSPORT: &str = "T01";
const PAIR: &str = "CP01";

impl Core {
    pub(super) fn stats(&self) -> Vec<RtcStats> {
        let mut stats = vec![self.connection_stats(), self.transport_stats()];
        stats.extend(self.traffic.pair.map(|pair| self.pair_stats(pair)));
        stats.extend(self.channels.figures().map(channel_stats));
        for (_, transceiver) in self.transceivers.iter() {
            for report in sent(transceiver).into_iter().chain(received(transceiver)) {
                // Sections share their codec.
                if stats.iter().all(|other| other.id() != report.id()) {
                    stats.push(report);
                }
            }
        }
        stats
    }

    fn connection_stats(&self) -> RtcStats {
        let (data_channels_opened, data_channels_closed) = self.channels.counts();
        RtcStats::PeerConnection(PeerConnectionStats {
            id: CONNECTION.to_owned(),
            data_channels_opened,
            data_channels_closed,
        })
    }

    fn transport_stats(&self) -> RtcStats {
        RtcStats::Transport(TransportStats {
            id: TRANSPORT.to_owned(),
            packets_sent: self.traffic.packets_sent,
            packets_received: self.traffic.packets_received,
            bytes_sent: self.traffic.bytes_sent,
            bytes_received: self.traffic.bytes_received,
            dtls_state: Some(dtls_state(self.connection)),
            ice_state: Some(ice_state(self.ice)),
            selected_candidate_pair_id: self.traffic.pair.map(|_| PAIR.to_owned()),
        })
    }

    fn pair_stats(&self, (local, remote): (SocketAddr, SocketAddr)) -> RtcStats {
        RtcStats::CandidatePair(CandidatePairStats {
            id: PAIR.to_owned(),
            transport_id: TRANSPORT.to_owned(),
            local_candidate_id: format!("I{local}"),
            remote_candidate_id: format!("I{remote}"),
            state: Some(IceCandidatePairState::Succeeded),
            nominated: true,
            packets_sent: self.traffic.packets_sent,
            packets_received: self.traffic.packets_received,
            bytes_sent: self.traffic.bytes_sent,
            bytes_received: self.traffic.bytes_received,
            packets_discarded_on_send: self.traffic.packets_discarded,
            bytes_discarded_on_send: self.traffic.bytes_discarded,
            current_round_trip_time: self.traffic.trip.map(|trip| trip.as_secs_f64()),
        })
    }
}

fn channel_stats(figures: ChannelFigures) -> RtcStats {
    let record = &figures.record;
    RtcStats::DataChannel(DataChannelStats {
        id: format!("D{}", record.id()),
        label: record.label().to_owned(),
        protocol: figures.protocol,
        data_channel_identifier: u16::try_from(record.id()).ok(),
        state: Some(record.state()),
        messages_sent: figures.messages_sent,
        bytes_sent: figures.bytes_sent,
        messages_received: figures.messages_received,
        bytes_received: figures.bytes_received,
    })
}

fn dtls_state(state: PeerConnectionState) -> DtlsTransportState {
    match state {
        PeerConnectionState::New => DtlsTransportState::New,
        PeerConnectionState::Connecting => DtlsTransportState::Connecting,
        PeerConnectionState::Connected | PeerConnectionState::Disconnected => {
            DtlsTransportState::Connected
        }
        PeerConnectionState::Failed => DtlsTransportState::Failed,
        PeerConnectionState::Closed => DtlsTransportState::Closed,
    }
}

fn ice_state(state: IceConnectionState) -> IceTransportState {
    match state {
        IceConnectionState::New => IceTransportState::New,
        IceConnectionState::Checking => IceTransportState::Checking,
        IceConnectionState::Connected => IceTransportState::Connected,
        IceConnectionState::Completed => IceTransportState::Completed,
        IceConnectionState::Failed => IceTransportState::Failed,
        IceConnectionState::Disconnected => IceTransportState::Disconnected,
        IceConnectionState::Closed => IceTransportState::Closed,
    }
}
