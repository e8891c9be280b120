//! The reports of a connection's streams of sound.
//!
//! What peers say in RTCP comes from str0m once a second; all else is counted here.

use std::time::Duration;

use str0m::media::MediaKind;
use str0m::stats::{MediaEgressStats, MediaIngressStats};

use super::super::core::Core;
use super::super::stats::TRANSPORT;
use super::transceivers::Transceiver;
use crate::imp::audio::clock::RATE_HZ;
use crate::stats::{
    AudioSourceStats, CodecStats, InboundRtpStats, OutboundRtpStats, RemoteInboundRtpStats,
    RemoteOutboundRtpStats, RtcStats,
};

/// What a peer says of a stream that we send.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct SentReport {
    lost: u64,
    jitter: f64,
    fraction_lost: f64,
    trip: Option<Duration>,
    trips: Duration,
    trips_count: u64,
    nacks: u64,
}

/// What a peer says of a stream that we receive, and what we asked it for.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct ReceivedReport {
    packets: u64,
    bytes: u64,
    count: u64,
    nacks: u64,
}

impl SentReport {
    fn take(&mut self, report: &MediaEgressStats) {
        self.nacks = report.nacks;
        let Some(remote) = &report.remote else { return };
        self.lost = remote.packets_lost;
        self.jitter = f64::from(remote.jitter) / f64::from(RATE_HZ);
        self.fraction_lost = report.loss.map_or(self.fraction_lost, f64::from);
        self.trip = report.rtt.or(self.trip);
        if let Some(trip) = report.rtt {
            self.trips += trip;
            self.trips_count += 1;
        }
    }
}

impl Core {
    /// Takes what the peer says of a stream that we send; the encoder follows the network by it.
    pub(in super::super) fn on_sent_report(&mut self, report: &MediaEgressStats) {
        let Some(transceiver) = self.transceivers.by_mid(report.mid) else { return };
        transceiver.outbound.report.get_or_insert_default().take(report);
        let repaired = transceiver.outbound.repaired_share();
        if let Some(loss) = report.loss {
            self.on_loss(report.mid, loss.max(repaired));
        }
    }

    pub(in super::super) fn on_received_report(&mut self, report: &MediaIngressStats) {
        let Some(transceiver) = self.transceivers.by_mid(report.mid) else { return };
        let own = &mut transceiver.inbound.report;
        own.nacks = report.nacks;
        if let Some(remote) = &report.remote {
            own.count += u64::from(remote.packets != own.packets);
            (own.packets, own.bytes) = (remote.packets, remote.bytes);
        }
    }
}

/// All that is known of what a section sends.
pub(in super::super) fn sent(transceiver: &Transceiver) -> Vec<RtcStats> {
    let figures = &transceiver.outbound;
    let Some(mid) = transceiver.mid.filter(|_| figures.ssrc != 0) else { return Vec::new() };
    let mid = mid.to_string();
    let mut stats = vec![outbound(transceiver, &mid)];
    stats.extend(transceiver.sent.as_ref().map(|track| {
        RtcStats::MediaSource(AudioSourceStats {
            id: format!("S{mid}"),
            track_identifier: track.id(),
            kind: "audio".to_owned(),
            audio_level: figures.level_dbov.map(|level| 10_f64.powf(-f64::from(level) / 20.0)),
            total_audio_energy: Some(figures.energy),
            total_samples_duration: figures.seconds,
        })
    }));
    stats.extend(figures.report.map(|report| {
        RtcStats::RemoteInboundRtp(RemoteInboundRtpStats {
            id: format!("RI{mid}"),
            ssrc: figures.ssrc,
            kind: "audio".to_owned(),
            transport_id: TRANSPORT.to_owned(),
            local_id: format!("OT{mid}"),
            packets_lost: i64::try_from(report.lost).unwrap_or(i64::MAX),
            jitter: report.jitter,
            fraction_lost: report.fraction_lost,
            round_trip_time: report.trip.map(|trip| trip.as_secs_f64()),
            total_round_trip_time: report.trips.as_secs_f64(),
            round_trip_time_measurements: report.trips_count,
        })
    }));
    stats.extend(codec(transceiver));
    stats
}

fn outbound(transceiver: &Transceiver, mid: &str) -> RtcStats {
    let figures = &transceiver.outbound;
    let sending = transceiver.sending.as_ref();
    RtcStats::OutboundRtp(OutboundRtpStats {
        id: format!("OT{mid}"),
        ssrc: figures.ssrc,
        kind: "audio".to_owned(),
        transport_id: TRANSPORT.to_owned(),
        codec_id: transceiver.opus.map(|opus| codec_id(opus.payload_type)),
        mid: mid.to_owned(),
        media_source_id: transceiver.sent.as_ref().map(|_| format!("S{mid}")),
        remote_id: figures.report.map(|_| format!("RI{mid}")),
        active: sending.is_some(),
        packets_sent: figures.packets + figures.repaired,
        bytes_sent: figures.bytes + figures.repaired_bytes,
        retransmitted_packets_sent: figures.repaired,
        retransmitted_bytes_sent: figures.repaired_bytes,
        nack_count: figures.report.map_or(0, |report| count(report.nacks)),
        target_bitrate: sending.map(|sending| f64::from(sending.bitrate_bps())),
        ..Default::default()
    })
}

/// All that is known of what a section receives, if anything came.
pub(in super::super) fn received(transceiver: &Transceiver) -> Vec<RtcStats> {
    let figures = &transceiver.inbound;
    let Some(mid) = transceiver.mid.filter(|_| figures.packets > 0) else { return Vec::new() };
    let mid = mid.to_string();
    let mut stats = vec![inbound(transceiver, &mid)];
    if figures.report.count > 0 {
        stats.push(RtcStats::RemoteOutboundRtp(RemoteOutboundRtpStats {
            id: format!("RO{mid}"),
            ssrc: figures.ssrc,
            kind: kind(transceiver),
            transport_id: TRANSPORT.to_owned(),
            local_id: format!("IT{mid}"),
            packets_sent: figures.report.packets,
            bytes_sent: figures.report.bytes,
            reports_sent: figures.report.count,
        }));
    }
    stats.extend(codec(transceiver));
    stats
}

fn inbound(transceiver: &Transceiver, mid: &str) -> RtcStats {
    let (figures, heard) = (&transceiver.inbound, transceiver.jitter_stats());
    let level = (figures.seconds > 0.0).then_some(figures.level);
    RtcStats::InboundRtp(InboundRtpStats {
        id: format!("IT{mid}"),
        ssrc: figures.ssrc,
        kind: kind(transceiver),
        transport_id: TRANSPORT.to_owned(),
        codec_id: transceiver.opus.map(|opus| codec_id(opus.payload_type)),
        mid: mid.to_owned(),
        track_identifier: transceiver.received.id(),
        remote_id: (figures.report.count > 0).then(|| format!("RO{mid}")),
        packets_received: figures.packets,
        packets_lost: figures.lost(),
        packets_discarded: heard.late + heard.discarded + figures.refused,
        jitter: figures.jitter / f64::from(RATE_HZ),
        bytes_received: figures.bytes,
        header_bytes_received: figures.header_bytes,
        nack_count: count(figures.report.nacks),
        jitter_buffer_delay: figures.delay,
        jitter_buffer_target_delay: figures.target_delay,
        jitter_buffer_emitted_count: heard.played.saturating_sub(heard.concealed),
        total_samples_received: heard.played,
        concealed_samples: heard.concealed,
        concealment_events: figures.concealments,
        inserted_samples_for_deceleration: heard.inserted,
        removed_samples_for_acceleration: heard.removed,
        audio_level: level,
        total_audio_energy: level.map(|_| figures.energy),
        total_samples_duration: figures.seconds,
    })
}

fn kind(transceiver: &Transceiver) -> String {
    match transceiver.kind {
        MediaKind::Audio => "audio".to_owned(),
        MediaKind::Video => "video".to_owned(),
    }
}

/// Opus, as it was agreed on.
pub(super) fn codec(transceiver: &Transceiver) -> Option<RtcStats> {
    let payload_type = transceiver.opus?.payload_type;
    Some(RtcStats::Codec(CodecStats {
        id: codec_id(payload_type),
        transport_id: TRANSPORT.to_owned(),
        payload_type: payload_type.into(),
        mime_type: "audio/opus".to_owned(),
        clock_rate: RATE_HZ,
        channels: 2,
    }))
}

fn codec_id(payload_type: u8) -> String {
    format!("C{payload_type}")
}

fn count(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
