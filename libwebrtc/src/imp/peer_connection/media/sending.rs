//! Sound that is sent: packets of the section's encoder become RTP.
//!
//! A section sends while it has a track that is fed, the peer wants it, and keys are agreed on.
//! While the path is broken, packets are made at the same pace and thrown away, so that what is
//! sent after it is new.

use std::collections::VecDeque;
use std::mem::replace;
use std::sync::Arc;
use std::time::Instant;

use str0m::Rtc;
use str0m::media::{MediaKind, Mid};
use str0m::rtp::rtcp::Nack;
use str0m::rtp::{ExtensionValues, RtpWrite, SeqNo};
use tokio::sync::Notify;
use tracing::warn;

use super::super::core::Core;
use super::super::sdp::Opus;
use super::stats::SentReport;
use super::transceivers::Transceiver;
use crate::imp::audio::clock::to_samples;
use crate::imp::audio::red;
use crate::imp::audio::source::Packet;
use crate::imp::feed::{Encoding, Outlet, PACKET, random};
use crate::imp::track::Track;
use crate::media_stream_track::MediaStreamTrack;
use crate::rtp_transceiver::RtpTransceiverDirection;

/// Bits per second for each channel, where nobody sets them: what libwebrtc takes for Opus.
const CHANNEL_BPS: u32 = 32_000;

/// The fewest and the most that Opus has (RFC 6716, section 2.1.1).
const LOWEST_BPS: u32 = 6_000;
const HIGHEST_BPS: u32 = 510_000;

/// Louder than this many dB below overload is said to be a voice.
const VOICE_DBOV: u8 = 50;

/// A track on its way.
pub(super) struct Sending {
    outlet: Outlet,
    track: Arc<Track>,
    encoding: Encoding,
    payload_type: u8,
    /// The type under which packets carry those before them, where the peer wants that most.
    red: Option<u8>,
    /// The timestamp and the payload of the last packet.
    last: Option<(u32, Arc<[u8]>)>,
    mid: Mid,
}

/// What a section has sent.
#[derive(Default)]
pub(in super::super) struct Outbound {
    pub(in super::super) ssrc: u32,
    pub(super) packets: u64,
    pub(super) bytes: u64,
    /// What the peer says of it.
    pub(super) report: Option<SentReport>,
    /// The level of the last packet, in dB below overload.
    pub(super) level_dbov: Option<u8>,
    /// The sum of levels squared times seconds, and the seconds.
    pub(super) energy: f64,
    pub(super) seconds: f64,
    /// What may be asked for again, the newest last.
    recent: VecDeque<Recent>,
    pub(super) repaired: u64,
    pub(super) repaired_bytes: u64,
    /// Packets, and those sent again, when [`Outbound::repaired_share`] was asked last.
    asked: (u64, u64),
    sequence: Option<u64>,
    /// The timestamp at which the last encoder ended, and when.
    ended: Option<(u32, Instant)>,
}

/// Packets that may be asked for again: a second of them. Later they would come too late.
pub(in super::super) const RECENT_LIMIT: usize = 50;

/// How often a packet is sent again.
pub(in super::super) const REPAIRS_LIMIT: u8 = 3;

/// A packet that was sent.
struct Recent {
    sequence: u64,
    packet: Packet,
    sent_at: Instant,
    repairs: u8,
    wanted: bool,
}

impl Outbound {
    /// The share of packets that were asked for again since this was asked last. The peer counts
    /// what was sent again as received, and may play none of it: it came a round trip too late.
    pub(super) fn repaired_share(&mut self) -> f32 {
        let (packets, repaired) = replace(&mut self.asked, (self.packets, self.repaired));
        let (packets, repaired) = (self.packets - packets, self.repaired - repaired);
        (repaired as f32 / packets.max(1) as f32).min(1.0)
    }
}

impl Outbound {
    fn remember(&mut self, sequence: u64, packet: Packet, sent_at: Instant) {
        if self.recent.len() == RECENT_LIMIT {
            self.recent.pop_front();
        }
        self.recent.push_back(Recent { sequence, packet, sent_at, repairs: 0, wanted: false });
    }

    /// Marks a packet that the peer asks for. Returns whether it will be sent again.
    fn want(&mut self, sequence: u16) -> bool {
        let found = self.recent.iter_mut().find(|it| it.sequence as u16 == sequence);
        let Some(recent) = found.filter(|it| it.repairs < REPAIRS_LIMIT) else { return false };
        recent.wanted = true;
        true
    }

    /// Timestamps go on with the clock when the track changes.
    fn timestamp(&self, now: Instant) -> Option<u32> {
        let (timestamp, ended) = self.ended?;
        let passed = to_samples(now.saturating_duration_since(ended)) as u32;
        Some(timestamp.wrapping_add(passed))
    }

    /// Begins low, so that the receiver sees the number wrap before it could guess wrong
    /// (RFC 3711, section 3.3.1).
    fn next_sequence(&mut self) -> u64 {
        let next = self.sequence.map_or_else(|| u64::from(random() & 0x7fff), |last| last + 1);
        self.sequence = Some(next);
        next
    }

    /// The number of the last packet.
    #[cfg(test)]
    pub(in super::super) fn last_sequence(&self) -> Option<u64> {
        self.sequence
    }

    fn count(&mut self, packet: &Packet) {
        self.packets += 1;
        self.bytes += packet.payload.len() as u64;
        self.level_dbov = Some(packet.level_dbov);
        self.energy += 10_f64.powf(-f64::from(packet.level_dbov) / 10.0) * PACKET.as_secs_f64();
        self.seconds += PACKET.as_secs_f64();
    }
}

impl Sending {
    pub(super) fn bitrate_bps(&self) -> u32 {
        self.outlet.bitrate_bps()
    }

    /// The type of what goes out.
    fn wire_type(&self) -> u8 {
        self.red.unwrap_or(self.payload_type)
    }

    /// The packet with the one before it, where that is agreed on.
    fn with_last(&mut self, mut packet: Packet) -> Packet {
        if self.red.is_some() {
            let own = (packet.timestamp, packet.payload.clone());
            let last = self.last.replace(own);
            let last = last.as_ref().map(|(timestamp, payload)| {
                (packet.timestamp.wrapping_sub(*timestamp), payload.as_ref())
            });
            packet.payload = red::packet(self.payload_type, last, &packet.payload).into();
        }
        packet
    }
}

impl Transceiver {
    /// Begins, ends or changes what is sent, by what is wanted and agreed on.
    fn refresh(&mut self, now: Instant, driver: &Arc<Notify>) {
        let wanted = self.wanted();
        let fits = |sending: &Sending| {
            wanted.as_ref().is_some_and(|(track, mid, opus)| {
                Arc::ptr_eq(track, &sending.track)
                    && *mid == sending.mid
                    && opus.payload_type == sending.payload_type
                    && opus.wanted_red() == sending.red
                    && self.encoding(opus).channels == sending.encoding.channels
                    && opus.dtx == sending.encoding.dtx
            })
        };
        if self.sending.as_ref().is_some_and(|sending| !fits(sending))
            && let Some(sending) = self.sending.take()
        {
            self.outbound.ended = Some((sending.outlet.timestamp(), now));
        }
        let Some((track, mid, opus)) = wanted else { return };
        let encoding = self.encoding(&opus);
        match &mut self.sending {
            Some(sending) if sending.encoding == encoding => {}
            Some(sending) => {
                sending.outlet.set_highest(encoding.bitrate_bps);
                sending.encoding = encoding;
            }
            None => self.begin(track, mid, &opus, encoding, now, driver),
        }
    }

    fn begin(
        &mut self,
        track: Arc<Track>,
        mid: Mid,
        opus: &Opus,
        encoding: Encoding,
        now: Instant,
        driver: &Arc<Notify>,
    ) {
        let Some(feed) = track.feed() else { return };
        match feed.attach(encoding, self.outbound.timestamp(now), driver.clone()) {
            Ok(outlet) => {
                let (payload_type, red, last) = (opus.payload_type, opus.wanted_red(), None);
                let sending = Sending { outlet, track, encoding, payload_type, red, last, mid };
                self.sending = Some(sending);
            }
            Err(error) => warn!(%error, track = track.id(), "the track cannot be sent"),
        }
    }

    /// The track that is to be sent now, where, and in which form.
    fn wanted(&self) -> Option<(Arc<Track>, Mid, Opus)> {
        use RtpTransceiverDirection::{SendOnly, SendRecv};
        let Some(MediaStreamTrack::Audio(track)) = &self.sent else { return None };
        let is_agreed = matches!(self.current, Some(SendRecv | SendOnly));
        let is_active = self.parameters.encodings.first().is_none_or(|layer| layer.active);
        track.handle.feed()?;
        let track = track.handle.clone();
        (is_agreed && is_active).then_some((track, self.mid?, self.opus?))
    }

    fn encoding(&self, opus: &Opus) -> Encoding {
        let channels = if opus.stereo { 2 } else { 1 };
        let own = self.parameters.encodings.first().and_then(|layer| layer.max_bitrate);
        let own = own.map_or(CHANNEL_BPS * channels, |bps| u32::try_from(bps).unwrap_or(u32::MAX));
        let highest = opus.highest_bps.unwrap_or(HIGHEST_BPS);
        let bitrate_bps = own.min(highest).clamp(LOWEST_BPS, HIGHEST_BPS);
        Encoding { channels, bitrate_bps, dtx: opus.dtx }
    }

    /// Sends what is due, or throws it away where the path is broken. Returns whether it sent.
    fn send(&mut self, rtc: &mut Rtc, now: Instant, works: bool) -> bool {
        let Some(sending) = &mut self.sending else { return false };
        let mut sent = false;
        while let Some(packet) = sending.outlet.poll(now, !sending.track.enabled()) {
            if !works {
                continue;
            }
            let Some(packet) = self.ciphers.seal(sending.with_last(packet)) else { continue };
            let mut api = rtc.direct_api();
            let Some(stream) = api.stream_tx_by_mid(sending.mid, None) else { continue };
            self.outbound.ssrc = *stream.ssrc();
            self.outbound.count(&packet);
            let sequence = self.outbound.next_sequence();
            stream.write_rtp(written(&packet, sending.wire_type(), sequence, now));
            self.outbound.remember(sequence, packet, now);
            sent = true;
        }
        sent
    }

    /// Sends what was asked for again: in the same stream, since sound has no stream for repairs.
    fn repair(&mut self, rtc: &mut Rtc) {
        let Some(sending) = &self.sending else { return };
        let mut api = rtc.direct_api();
        let Some(stream) = api.stream_tx_by_mid(sending.mid, None) else { return };
        for recent in self.outbound.recent.iter_mut().filter(|it| it.wanted) {
            recent.wanted = false;
            recent.repairs += 1;
            self.outbound.repaired += 1;
            self.outbound.repaired_bytes += recent.packet.payload.len() as u64;
            let (packet, sequence) = (&recent.packet, recent.sequence);
            stream.write_rtp(written(packet, sending.wire_type(), sequence, recent.sent_at));
        }
    }
}

/// The packet as RTP. A repair keeps the time of the first sending, which sender's reports go by.
fn written(packet: &Packet, payload_type: u8, sequence: u64, at: Instant) -> RtpWrite {
    let level = ExtensionValues {
        audio_level: Some(-(packet.level_dbov as i8)),
        voice_activity: Some(packet.level_dbov < VOICE_DBOV),
        ..ExtensionValues::default()
    };
    let payload = packet.payload.clone();
    RtpWrite::new(payload_type.into(), sequence.into(), packet.timestamp, at, payload)
        .marker(packet.marker)
        .ext_vals(level)
}

impl Core {
    /// Sees to it that each section sends what it should, after something has changed.
    pub(in super::super) fn refresh_sending(&mut self, now: Instant) {
        if !self.is_secured() || !self.transceivers.take_changed() {
            return;
        }
        let driver = self.wake.clone();
        for transceiver in self.transceivers.iter_mut() {
            if transceiver.kind == MediaKind::Audio {
                transceiver.refresh(now, &driver);
            }
        }
    }

    /// The peer asks for packets again; they are sent with the next sound.
    pub(in super::super) fn on_nack(&mut self, nack: &Nack) {
        let (ssrc, near) = (*nack.ssrc, SeqNo::from(0));
        let sections = self.transceivers.iter_mut();
        for section in sections.filter(|it| it.outbound.ssrc == ssrc && it.sending.is_some()) {
            for entry in nack.reports.iter() {
                for sequence in entry.into_iter(near) {
                    self.repairs |= section.outbound.want(*sequence as u16);
                }
            }
        }
    }

    /// Sends what was asked for again. Returns whether anything was.
    pub(in super::super) fn repair(&mut self) -> bool {
        if !std::mem::take(&mut self.repairs) || !self.is_working() {
            return false;
        }
        for transceiver in self.transceivers.iter_mut() {
            transceiver.repair(&mut self.rtc);
        }
        true
    }

    /// Sends the sound that is due. Returns whether there was any.
    pub(in super::super) fn send_sound(&mut self, now: Instant) -> bool {
        let works = self.is_working();
        let mut sent = false;
        for transceiver in self.transceivers.iter_mut() {
            sent |= transceiver.send(&mut self.rtc, now, works);
        }
        sent
    }

    /// When the next sound is due to be sent.
    pub(in super::super) fn sound_due_at(&self, now: Instant) -> Option<Instant> {
        let at = |sending: &Sending| sending.outlet.wakes_at(now);
        self.transceivers.iter().filter_map(|(_, it)| it.sending.as_ref().and_then(at)).min()
    }

    /// Takes a receiver's report on what the section sends: the share of packets that were lost.
    pub(super) fn on_loss(&mut self, mid: Mid, loss: f32) {
        if let Some(sending) = self.transceivers.by_mid(mid).and_then(|it| it.sending.as_ref()) {
            // What a packet lost, the next one brings: gone is what two in a row have lost.
            let left = if sending.red.is_some() { loss * loss } else { loss };
            sending.outlet.report(left);
        }
    }
}
