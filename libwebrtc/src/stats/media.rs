//! Streams of sound, both ways.

/// A codec that was agreed on.
#[derive(Debug, Default, Clone, PartialEq)]
#[non_exhaustive]
pub struct CodecStats {
    /// The report's name.
    pub id: String,
    /// The transport's report.
    pub transport_id: String,
    /// Its number in packets.
    pub payload_type: u32,
    /// Such as `audio/opus`.
    pub mime_type: String,
    /// In hertz.
    pub clock_rate: u32,
    /// As the description says: 2 for Opus, whatever is sent.
    pub channels: u32,
}

/// A source of sound that is sent.
#[derive(Debug, Default, Clone, PartialEq)]
#[non_exhaustive]
pub struct AudioSourceStats {
    /// The report's name.
    pub id: String,
    /// The track's name.
    pub track_identifier: String,
    /// `audio`.
    pub kind: String,
    /// The loudest recent sample: 0 is silence, 1 is as loud as can be.
    pub audio_level: Option<f64>,
    /// The sum of level squared times duration, in seconds.
    pub total_audio_energy: Option<f64>,
    /// How much sound it gave, in seconds.
    pub total_samples_duration: f64,
}

/// A stream that we send.
#[derive(Debug, Default, Clone, PartialEq)]
#[non_exhaustive]
pub struct OutboundRtpStats {
    /// The report's name.
    pub id: String,
    /// Its number in packets.
    pub ssrc: u32,
    /// `audio` or `video`.
    pub kind: String,
    /// The transport's report.
    pub transport_id: String,
    /// The codec's report.
    pub codec_id: Option<String>,
    /// The section of the description.
    pub mid: String,
    /// The source's report.
    pub media_source_id: Option<String>,
    /// The report of what the peer says of it.
    pub remote_id: Option<String>,
    /// Whether it may be sent.
    pub active: bool,
    /// Packets, those sent again too.
    pub packets_sent: u64,
    /// Their payload, without headers.
    pub bytes_sent: u64,
    /// Their headers.
    pub header_bytes_sent: u64,
    /// Packets that were sent again.
    pub retransmitted_packets_sent: u64,
    /// Their payload.
    pub retransmitted_bytes_sent: u64,
    /// How often the peer asked for packets again.
    pub nack_count: u32,
    /// What the encoder aims at, in bits per second.
    pub target_bitrate: Option<f64>,
}

/// What the peer says of a stream that we send.
#[derive(Debug, Default, Clone, PartialEq)]
#[non_exhaustive]
pub struct RemoteInboundRtpStats {
    /// The report's name.
    pub id: String,
    /// The stream's number in packets.
    pub ssrc: u32,
    /// `audio` or `video`.
    pub kind: String,
    /// The transport's report.
    pub transport_id: String,
    /// The stream's report.
    pub local_id: String,
    /// Packets that did not arrive, less those that arrived twice.
    pub packets_lost: i64,
    /// How unevenly they arrived, in seconds (RFC 3550, section 6.4.1).
    pub jitter: f64,
    /// Which part of the packets since the last report did not arrive, 0 to 1.
    pub fraction_lost: f64,
    /// There and back, in seconds.
    pub round_trip_time: Option<f64>,
    /// The sum of all times there and back, in seconds.
    pub total_round_trip_time: f64,
    /// How many they were.
    pub round_trip_time_measurements: u64,
}

/// A stream that we receive.
#[derive(Debug, Default, Clone, PartialEq)]
#[non_exhaustive]
pub struct InboundRtpStats {
    /// The report's name.
    pub id: String,
    /// Its number in packets.
    pub ssrc: u32,
    /// `audio` or `video`.
    pub kind: String,
    /// The transport's report.
    pub transport_id: String,
    /// The codec's report.
    pub codec_id: Option<String>,
    /// The section of the description.
    pub mid: String,
    /// The track's name.
    pub track_identifier: String,
    /// The report of what the peer says of it.
    pub remote_id: Option<String>,
    /// Packets that arrived.
    pub packets_received: u64,
    /// Packets that did not, less those that arrived twice.
    pub packets_lost: i64,
    /// Packets that arrived and were not played: too late, twice, or more than there was room for.
    pub packets_discarded: u64,
    /// How unevenly they arrive, in seconds (RFC 3550, section 6.4.1).
    pub jitter: f64,
    /// Their payload, without headers.
    pub bytes_received: u64,
    /// Their headers.
    pub header_bytes_received: u64,
    /// How often we asked for packets again.
    pub nack_count: u32,
    /// How long the samples that were played had waited, in sum: seconds times samples.
    pub jitter_buffer_delay: f64,
    /// How long they should have waited, in sum: seconds times samples.
    pub jitter_buffer_target_delay: f64,
    /// How many samples were played out of the buffer, per channel.
    pub jitter_buffer_emitted_count: u64,
    /// Samples that were played, made-up ones too, per channel.
    pub total_samples_received: u64,
    /// Samples that were made up for lost ones, per channel.
    pub concealed_samples: u64,
    /// How often that began.
    pub concealment_events: u64,
    /// Samples that were added to slow down, per channel.
    pub inserted_samples_for_deceleration: u64,
    /// Samples that were left out to catch up, per channel.
    pub removed_samples_for_acceleration: u64,
    /// The loudest recent sample: 0 is silence, 1 is as loud as can be.
    pub audio_level: Option<f64>,
    /// The sum of level squared times duration, in seconds.
    pub total_audio_energy: Option<f64>,
    /// How much sound was played, in seconds.
    pub total_samples_duration: f64,
}

/// What the peer says of a stream that we receive.
#[derive(Debug, Default, Clone, PartialEq)]
#[non_exhaustive]
pub struct RemoteOutboundRtpStats {
    /// The report's name.
    pub id: String,
    /// The stream's number in packets.
    pub ssrc: u32,
    /// `audio` or `video`.
    pub kind: String,
    /// The transport's report.
    pub transport_id: String,
    /// The stream's report.
    pub local_id: String,
    /// Packets that were sent.
    pub packets_sent: u64,
    /// Their payload, without headers.
    pub bytes_sent: u64,
    /// How many reports came.
    pub reports_sent: u64,
}
