//! Sound that is received: packets of a section go to its jitter buffer, frames of 10 ms to those
//! who listen to its track.
//!
//! While nobody listens, packets are counted and dropped, and there is no buffer.

use std::time::{Duration, Instant};

use str0m::media::MediaKind;
use str0m::rtp::RtpPacket;
use tracing::warn;

use super::super::core::Core;
use super::super::sdp::Opus;
use super::inbound::{Arrived, Inbound, Received};
use super::transceivers::Transceiver;
use crate::imp::audio::clock::{FRAME, RATE_HZ};
use crate::imp::audio::jitter::{self, Arrival, JitterBuffer};
use crate::imp::audio::red;
use crate::imp::track::Track;
use crate::media_stream_track::MediaStreamTrack;

/// How often a frame is played.
const STEP: Duration = Duration::from_millis(10);

/// A task that comes later than this does not catch up: the frames between are left out.
const CATCH_UP_LIMIT: Duration = Duration::from_millis(200);

/// A track that somebody listens to.
pub(super) struct Receiving {
    jitter: JitterBuffer,
    channels: u32,
    began: Instant,
    next: Instant,
    frame: Vec<i16>,
}

impl Receiving {
    fn new(channels: u32, now: Instant) -> Option<Self> {
        let jitter = JitterBuffer::new(channels)
            .inspect_err(|error| warn!(%error, "the track cannot be heard"))
            .ok()?;
        Some(Self { jitter, channels, began: now, next: now, frame: Vec::new() })
    }

    /// Takes what the packet carries: itself, or others before it too.
    fn push(&mut self, packet: &Received<'_>, payload: &[u8], opus: &Opus) {
        let at = packet.at.saturating_duration_since(self.began);
        let (sequence, timestamp) = (packet.sequence as u16, packet.timestamp);
        if packet.payload_type == opus.payload_type {
            return self.jitter.push(Arrival { sequence, timestamp, payload }, at);
        }
        for block in red::blocks(payload, opus.payload_type) {
            let arrival = Arrival {
                sequence: sequence.wrapping_sub(block.back),
                timestamp: timestamp.wrapping_sub(block.offset),
                payload: block.payload,
            };
            self.jitter.push(arrival, at);
        }
    }

    /// Plays the frames that are due.
    fn play(&mut self, now: Instant, track: &Track, inbound: &mut Inbound) {
        if now.saturating_duration_since(self.next) > CATCH_UP_LIMIT {
            self.next = now;
        }
        while self.next <= now {
            self.frame.clear();
            self.jitter.pull(self.next - self.began, &mut self.frame);
            self.next += STEP;
            if !track.enabled() {
                self.frame.fill(0);
            }
            inbound.count_played(&self.frame, &self.jitter.stats());
            track.push(&self.frame, self.channels);
        }
    }

    pub(super) fn stats(&self) -> jitter::Stats {
        self.jitter.stats()
    }
}

impl Transceiver {
    /// Takes a packet. Returns whether it is the first of its stream.
    pub(super) fn receive(&mut self, packet: &Received<'_>) -> bool {
        let is_agreed = self.kind != MediaKind::Audio
            || self.opus.is_some_and(|opus| opus.carries(packet.payload_type));
        let arrived = self.inbound.count(packet, is_agreed);
        match arrived {
            Arrived::Refused => return false,
            Arrived::Other => self.restart(packet.at),
            Arrived::First | Arrived::Same => {}
        }
        if let (Some(receiving), Some(opus)) = (&mut self.receiving, &self.opus)
            && let Some(payload) = self.ciphers.open(packet.payload)
        {
            receiving.push(packet, &payload, opus);
        }
        arrived != Arrived::Same
    }

    /// Another stream has a buffer of its own, at the same pace.
    fn restart(&mut self, now: Instant) {
        let Some(old) = self.receiving.take() else { return };
        self.inbound.keep(old.stats());
        self.receiving =
            Receiving::new(old.channels, now).map(|new| Receiving { next: old.next, ..new });
        if let Some(receiving) = &mut self.receiving {
            receiving.began = receiving.began.min(receiving.next);
        }
    }

    /// Plays what is due to those who listen. Returns when the next frame is.
    fn play(&mut self, now: Instant) -> Option<Instant> {
        let MediaStreamTrack::Audio(track) = &self.received else { return None };
        let track = &track.handle;
        if !track.has_listeners() {
            if let Some(receiving) = self.receiving.take() {
                self.inbound.keep(receiving.stats());
            }
            return None;
        }
        if self.receiving.as_ref().is_none_or(|receiving| receiving.next <= now) {
            let channels = track.wanted_channels().min(2);
            if let Some(other) = self.receiving.take_if(|receiving| receiving.channels != channels)
            {
                self.inbound.keep(other.stats());
            }
            if self.receiving.is_none() {
                self.receiving = Receiving::new(channels, now);
            }
        }
        let receiving = self.receiving.as_mut()?;
        receiving.play(now, track, &mut self.inbound);
        Some(receiving.next)
    }

    /// What was counted of the sound until now.
    pub(in super::super) fn jitter_stats(&self) -> jitter::Stats {
        let now = self.receiving.as_ref().map(Receiving::stats).unwrap_or_default();
        self.inbound.before.plus(now)
    }
}

impl Core {
    /// A packet that arrived; it is whole and its own.
    pub(in super::super) fn on_packet(&mut self, packet: &RtpPacket) {
        let ssrc = packet.header.ssrc;
        let mid = self.rtc.direct_api().stream_rx(&ssrc).map(|stream| stream.mid());
        let transceiver = mid.and_then(|mid| self.transceivers.by_mid(mid));
        let Some(transceiver) = transceiver else { return };
        let begins = transceiver.receive(&Received::new(packet));
        let repairs = transceiver.opus.is_some_and(|opus| opus.nack);
        if begins
            && repairs
            && let Some(stream) = self.rtc.direct_api().stream_rx(&ssrc)
        {
            // str0m asks for nothing again where repairs have no stream of their own. Sound's come
            // in its own.
            stream.suppress_nack(false);
        }
    }

    /// Plays the sound that is due. Returns when the next is.
    pub(in super::super) fn play_sound(&mut self, now: Instant) -> Option<Instant> {
        self.transceivers.iter_mut().filter_map(|it| it.play(now)).min()
    }
}

const _: () = assert!(FRAME as u128 * 1_000 == STEP.as_millis() * RATE_HZ as u128);

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::audio_track::RtcAudioTrack;
    use crate::imp::audio::source::{Settings, Source};
    use crate::imp::audio::tests::tone::{Tone, level, purity};
    use crate::imp::listener::Listener;
    use crate::rtp_transceiver::RtpTransceiverDirection;

    const OPUS: Opus = Opus {
        payload_type: 111,
        stereo: false,
        dtx: false,
        highest_bps: None,
        nack: false,
        red: None,
    };

    const PACKET_MS: u64 = 20;

    /// A section, and a sender whose packets come at once.
    struct Call {
        section: Transceiver,
        track: RtcAudioTrack,
        source: Source,
        tone: Tone,
        ssrc: u32,
        sequence: u64,
        now_ms: u64,
        base: Instant,
    }

    impl Call {
        fn new() -> Self {
            let mut section = Transceiver::new(MediaKind::Audio, RtpTransceiverDirection::RecvOnly);
            section.opus = Some(OPUS);
            let MediaStreamTrack::Audio(track) = section.received.clone() else { unreachable!() };
            let settings = Settings {
                rate_hz: 48_000,
                channels: 1,
                queue: Duration::ZERO,
                packet: Duration::from_millis(PACKET_MS),
                bitrate_bps: 48_000,
                dtx: false,
                first_timestamp: u32::MAX - 48_000,
            };
            let source = Source::new(settings).unwrap();
            let tone = Tone::new(440.0, 48_000, 9_000.0);
            let base = tokio::time::Instant::now().into_std();
            Self { section, track, source, tone, ssrc: 1, sequence: 100, now_ms: 0, base }
        }

        fn listen(&self, rate_hz: u32, channels: u32) -> Arc<Listener> {
            let listener = Arc::new(Listener::new(rate_hz, channels, 10_000).unwrap());
            assert!(self.track.handle.listen(listener.clone()));
            listener
        }

        /// Sends for so long, and plays every 10 ms.
        fn run(&mut self, ms: u64) {
            let end = self.now_ms + ms;
            while self.now_ms < end {
                let now = Duration::from_millis(self.now_ms);
                let frame = self.tone.take(480);
                self.source.offer(&frame).unwrap();
                while let Some(packet) = self.source.poll(now).unwrap() {
                    self.section.receive(&Received {
                        ssrc: self.ssrc,
                        payload_type: 111,
                        sequence: self.sequence,
                        timestamp: packet.timestamp,
                        header_len: 12,
                        payload: &packet.payload,
                        at: self.base + now,
                    });
                    self.sequence += 1;
                }
                self.section.play(self.base + now);
                self.now_ms += 10;
            }
        }
    }

    fn all(listener: &Listener) -> Vec<i16> {
        let mut samples = Vec::new();
        let mut context = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(frame)) = listener.poll(&mut context) {
            samples.extend(frame);
        }
        samples
    }

    #[test]
    fn while_nobody_listens_there_is_no_buffer() {
        let mut call = Call::new();
        call.run(1_000);
        assert!(call.section.receiving.is_none());
        assert_eq!(call.section.play(call.base + Duration::from_secs(1)), None);
        assert_eq!((call.section.inbound.packets, call.section.jitter_stats().played), (50, 0));
        let listener = call.listen(48_000, 1);
        call.run(1_000);
        call.track.handle.leave(&listener);
        call.run(20);
        assert!(call.section.receiving.is_none());
        assert_eq!(call.section.jitter_stats().played, 48_000, "what was counted stays");
    }

    #[test]
    fn each_listener_hears_the_tone_from_when_it_came() {
        let mut call = Call::new();
        let first = call.listen(16_000, 1);
        call.run(1_000);
        let second = call.listen(48_000, 1);
        call.run(1_000);
        let (first, second) = (all(&first), all(&second));
        assert_eq!((first.len(), second.len()), (32_000, 48_000));
        assert!(purity(&first[8_000..], 440.0, 16_000) > 0.99);
        assert!(purity(&second, 440.0, 48_000) > 0.99);
    }

    #[test]
    fn another_stream_is_heard_in_place_of_the_first() {
        let mut call = Call::new();
        let listener = call.listen(48_000, 1);
        call.run(2_000);
        (call.ssrc, call.sequence) = (2, 40_000);
        call.run(2_000);
        let samples = all(&listener);
        assert_eq!(samples.len(), 4 * 48_000, "a frame each 10 ms all the while");
        assert!(purity(&samples[3 * 48_000..], 440.0, 48_000) > 0.99);
        let gap = samples[2 * 48_000..3 * 48_000].chunks(480).filter(|it| level(it) < 1_000.0);
        assert!(gap.count() < 15, "less than 150 ms are missing");
        assert_eq!(call.section.inbound.lost(), 0);
    }

    #[test]
    fn one_who_wants_stereo_has_all_hear_on() {
        let mut call = Call::new();
        let mono = call.listen(48_000, 1);
        call.run(1_000);
        let stereo = call.listen(48_000, 2);
        call.run(1_000);
        assert_eq!(all(&stereo).len(), 2 * 48_000);
        let samples = all(&mono);
        assert_eq!(samples.len(), 2 * 48_000);
        assert!(purity(&samples[72_000..], 440.0, 48_000) > 0.99);
    }

    #[test]
    fn a_track_that_is_off_is_silent_and_one_that_ended_is_over() {
        let mut call = Call::new();
        let listener = call.listen(48_000, 1);
        call.track.set_enabled(false);
        call.run(1_000);
        assert_eq!(all(&listener), vec![0; 48_000]);
        call.track.handle.end();
        call.run(20);
        assert!(call.section.receiving.is_none());
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(listener.poll(&mut context), Poll::Ready(None));
    }

    #[test]
    fn a_task_that_comes_very_late_leaves_out_what_it_missed() {
        let mut call = Call::new();
        let listener = call.listen(48_000, 1);
        call.run(1_000);
        all(&listener);
        let late = call.base + Duration::from_millis(call.now_ms + 5_000);
        call.section.play(late);
        assert_eq!(all(&listener).len(), 480);
    }

    #[test]
    fn garbage_is_counted_and_does_no_harm() {
        let mut call = Call::new();
        let listener = call.listen(48_000, 1);
        call.run(1_000);
        for sequence in 0..200_u64 {
            let payload = vec![sequence as u8; sequence as usize % 7 * 40];
            let at = call.base + Duration::from_millis(call.now_ms);
            let packet = Received {
                ssrc: 1,
                payload_type: 111,
                sequence: sequence * 37 % 101,
                timestamp: (sequence as u32).wrapping_mul(0x9e37_79b9),
                header_len: 12,
                payload: &payload,
                at,
            };
            call.section.receive(&packet);
        }
        call.run(3_000);
        assert_eq!(all(&listener).len(), 4 * 48_000);
        assert!(call.section.jitter_stats().invalid > 0, "{:?}", call.section.jitter_stats());
    }
}
