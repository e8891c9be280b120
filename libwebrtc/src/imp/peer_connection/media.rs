//! Packets of media.
//!
//! Received packets are counted by section. This is the place where a section's packets go on,
//! with their time of arrival, to the jitter buffer of its track of sound.

use str0m::Rtc;
use str0m::rtp::RtpPacket;

use super::transceivers::Transceivers;

/// A packet that arrived; it is whole and its own.
pub(super) fn receive(rtc: &mut Rtc, transceivers: &mut Transceivers, packet: &RtpPacket) {
    let ssrc = packet.header.ssrc;
    let Some(mid) = rtc.direct_api().stream_rx(&ssrc).map(|stream| stream.mid()) else { return };
    let Some(transceiver) = transceivers.by_mid(mid) else { return };
    let inbound = &mut transceiver.inbound;
    inbound.ssrc = *ssrc;
    inbound.packets += 1;
    inbound.bytes += packet.payload.len() as u64;
}
