//! Figures of a connection in the shape of W3C's webrtc-stats.
//!
//! What is not measured stays at its default, as in upstream. The wall clock is not read here:
//! timestamps are 0.

use std::net::SocketAddr;

use str0m::media::MediaKind;

use super::channels::ChannelFigures;
use super::core::Core;
use super::transceivers::Transceiver;
use crate::peer_connection::{IceConnectionState, PeerConnectionState};
use crate::stats::{
    CandidatePairStats, DataChannelStats, DtlsTransportState, IceCandidatePairState,
    IceTransportState, InboundRtpStats, PeerConnectionStats, RtcStats, TransportStats,
    dictionaries,
};

const TRANSPORT: &str = "T01";
const PAIR: &str = "CP01";

impl Core {
    pub(super) fn stats(&self) -> Vec<RtcStats> {
        let mut stats = vec![self.connection_stats(), self.transport_stats()];
        stats.extend(self.traffic.pair.map(|pair| self.pair_stats(pair)));
        stats.extend(self.channels.figures().map(channel_stats));
        stats.extend(self.transceivers.iter().filter_map(|(_, it)| inbound(it)));
        stats
    }

    fn connection_stats(&self) -> RtcStats {
        let (opened, closed) = self.channels.counts();
        let pc = dictionaries::PeerConnectionStats {
            data_channels_opened: opened,
            data_channels_closed: closed,
        };
        RtcStats::PeerConnection(PeerConnectionStats { rtc: named("P"), pc })
    }

    fn transport_stats(&self) -> RtcStats {
        let selected = if self.traffic.pair.is_some() { PAIR } else { "" };
        let transport = dictionaries::TransportStats {
            packets_sent: self.traffic.packets_sent,
            packets_received: self.traffic.packets_received,
            bytes_sent: self.traffic.bytes_sent,
            bytes_received: self.traffic.bytes_received,
            dtls_state: Some(dtls_state(self.connection)),
            ice_state: ice_state(self.ice),
            selected_candidate_pair_id: selected.to_owned(),
            ..Default::default()
        };
        RtcStats::Transport(TransportStats { rtc: named(TRANSPORT), transport })
    }

    fn pair_stats(&self, (local, remote): (SocketAddr, SocketAddr)) -> RtcStats {
        let candidate_pair = dictionaries::CandidatePairStats {
            transport_id: TRANSPORT.to_owned(),
            local_candidate_id: format!("I{local}"),
            remote_candidate_id: format!("I{remote}"),
            state: Some(IceCandidatePairState::Succeeded),
            nominated: true,
            packets_sent: self.traffic.packets_sent,
            packets_received: self.traffic.packets_received,
            bytes_sent: self.traffic.bytes_sent,
            bytes_received: self.traffic.bytes_received,
            ..Default::default()
        };
        RtcStats::CandidatePair(CandidatePairStats { rtc: named(PAIR), candidate_pair })
    }
}

fn channel_stats(figures: ChannelFigures) -> RtcStats {
    let record = &figures.record;
    let dc = dictionaries::DataChannelStats {
        label: record.label().to_owned(),
        protocol: figures.protocol,
        data_channel_identifier: record.id(),
        state: Some(record.state()),
        messages_sent: figures.messages_sent,
        bytes_sent: figures.bytes_sent,
        messages_received: figures.messages_received,
        bytes_received: figures.bytes_received,
    };
    RtcStats::DataChannel(DataChannelStats { rtc: named(&format!("D{}", record.id())), dc })
}

/// What arrived in a section, if anything did.
pub(super) fn inbound(transceiver: &Transceiver) -> Option<RtcStats> {
    let figures = &transceiver.inbound;
    let mid = transceiver.mid.filter(|_| figures.packets > 0)?.to_string();
    let kind = match transceiver.kind {
        MediaKind::Audio => "audio",
        MediaKind::Video => "video",
    };
    let stream = dictionaries::RtpStreamStats {
        ssrc: figures.ssrc,
        kind: kind.to_owned(),
        transport_id: TRANSPORT.to_owned(),
        ..Default::default()
    };
    let received = dictionaries::ReceivedRtpStreamStats {
        packets_received: figures.packets,
        ..Default::default()
    };
    let inbound = dictionaries::InboundRtpStreamStats {
        track_identifier: transceiver.received.id(),
        bytes_received: figures.bytes,
        mid: mid.clone(),
        ..Default::default()
    };
    let rtc = named(&format!("IT{mid}"));
    Some(RtcStats::InboundRtp(InboundRtpStats { rtc, stream, received, inbound }))
}

fn named(id: &str) -> dictionaries::RtcStats {
    dictionaries::RtcStats { id: id.to_owned(), timestamp: 0 }
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

fn ice_state(state: IceConnectionState) -> Option<IceTransportState> {
    Some(match state {
        IceConnectionState::New => IceTransportState::New,
        IceConnectionState::Checking => IceTransportState::Checking,
        IceConnectionState::Connected => IceTransportState::Connected,
        IceConnectionState::Completed => IceTransportState::Completed,
        IceConnectionState::Failed => IceTransportState::Failed,
        IceConnectionState::Disconnected => IceTransportState::Disconnected,
        IceConnectionState::Closed => IceTransportState::Closed,
        IceConnectionState::Max => return None,
    })
}
