//! What a sender adds behind each encoded picture. This build carries no pictures: the types are
//! there for `livekit`, nothing is ever looked up or observed, and who asks for it is warned once.

#![expect(clippy::needless_pass_by_value, reason = "the signatures are upstream's")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::imp::absent;
use crate::peer_connection_factory::PeerConnectionFactory;
use crate::rtp_receiver::RtpReceiver;
use crate::rtp_sender::RtpSender;

/// What a warning calls them.
const TRAILERS: &str = "trailers of pictures";
const TIMES: &str = "times of pictures";

/// A point on a sent picture's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishTimingStage {
    /// Into the encoder.
    EncoderUpload,
    /// Out of the encoder.
    EncoderOutput,
    /// Into packets.
    WebrtcPacketize,
}

/// A point on a received picture's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscribeTimingStage {
    /// Out of packets.
    WebrtcReceive,
    /// Into the decoder.
    DecoderUpload,
    /// Out of the decoder.
    DecoderOutput,
}

/// When a sent picture passed a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishTimingEvent {
    /// The point.
    pub stage: PublishTimingStage,
    /// When, in microseconds.
    pub timestamp_us: u64,
    /// When it was taken, in microseconds.
    pub capture_timestamp_us: u64,
    /// Its number, where it has one.
    pub frame_id: Option<u32>,
}

/// When a received picture passed a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubscribeTimingEvent {
    /// The point.
    pub stage: SubscribeTimingStage,
    /// When, in microseconds.
    pub timestamp_us: u64,
    /// When it was taken, in microseconds.
    pub capture_timestamp_us: u64,
    /// Its number, where it has one.
    pub frame_id: Option<u32>,
}

/// Would be told of each sent picture.
pub type PublishTimingObserver = Arc<dyn Fn(PublishTimingEvent) + Send + Sync + 'static>;
/// Would be told of each received picture.
pub type SubscribeTimingObserver = Arc<dyn Fn(SubscribeTimingEvent) + Send + Sync + 'static>;

/// Would add or read trailers; clones are the same handler.
#[derive(Clone, Default)]
pub struct PacketTrailerHandler {
    enabled: Arc<AtomicBool>,
}

impl PacketTrailerHandler {
    /// Keeps the switch. Where it is set to on, warns once that no picture has a trailer.
    pub fn set_enabled(&self, enabled: bool) {
        if enabled {
            absent::warn_once(TRAILERS);
        }
        self.enabled.store(enabled, Ordering::Relaxed);
    }

    /// Whether it is on.
    pub fn enabled(&self) -> bool {
        self.enabled.load(Ordering::Relaxed)
    }

    /// None: no picture has arrived.
    pub fn lookup_frame_metadata(&self, _rtp_timestamp: u32) -> Option<(u64, u32, Vec<u8>)> {
        None
    }

    /// Does nothing, and warns once: no picture will be sent.
    pub fn store_frame_metadata(
        &self,
        _capture_timestamp_us: i64,
        _user_timestamp: u64,
        _frame_id: u32,
        _user_data: &[u8],
    ) {
        absent::warn_once(TRAILERS);
    }

    /// Does nothing, and warns once where there is an observer: no picture will be sent.
    pub fn set_publish_timing_observer(&self, observer: Option<PublishTimingObserver>) {
        if observer.is_some() {
            absent::warn_once(TIMES);
        }
    }

    /// Does nothing, and warns once where there is an observer: no picture will arrive.
    pub fn set_subscribe_timing_observer(&self, observer: Option<SubscribeTimingObserver>) {
        if observer.is_some() {
            absent::warn_once(TIMES);
        }
    }
}

/// A handler for what is sent.
pub fn create_sender_handler(_: &PeerConnectionFactory, _: &RtpSender) -> PacketTrailerHandler {
    PacketTrailerHandler::default()
}

/// A handler for what is received.
pub fn create_receiver_handler(_: &PeerConnectionFactory, _: &RtpReceiver) -> PacketTrailerHandler {
    PacketTrailerHandler::default()
}
