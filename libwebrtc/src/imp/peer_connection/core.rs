//! The state of a connection, pure: calls, datagrams and the time come in, datagrams and notices
//! go out.
//!
//! str0m asks that after each change all of its output is polled before the next: whoever changes
//! something through [`super::Shared::with`] has [`Core::drain`] called behind it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::format::{Codec, CodecConfig};
use str0m::net::{Protocol, Receive, Transmit};
use str0m::rtp::RawPacket;
use str0m::rtp::rtcp::Rtcp;
use str0m::{Event, Input, Output, Rtc, RtcConfig};
use tokio::sync::Notify;
use tracing::{debug, warn};

use super::channels::Channels;
use super::ice::{Candidates, Wanted};
use super::media::Transceivers;
use super::notice::Notice;
use super::sdp::Negotiation;
use crate::peer_connection::{IceConnectionState, IceGatheringState, PeerConnectionState};

/// How long a silent peer may take to come back. libwebrtc gives about as long.
pub(super) const FAILED_AFTER: Duration = Duration::from_secs(15);

/// How long an address of ours that was spoken from may be away. The peer goes on speaking to it,
/// and takes another only from a new search for a path, which whoever uses this begins at a
/// failure.
const MOVED_AFTER: Duration = Duration::from_millis(500);

/// The highest first byte of a STUN message (RFC 7983). Such go over all paths that may be one.
const LAST_OF_STUN: u8 = 3;

/// How many datagrams wait for the sockets; what comes then is lost, as on a full link, and
/// counted.
pub(super) const OUTBOX_LIMIT: usize = 4096;

/// How many bytes of messages wait to be sent or confirmed, in all channels together. Chromium
/// closes a channel at as much.
pub(super) const BUFFER_LIMIT: usize = 16 << 20;

/// How often reports go to the peer, figures are taken, and the encoder follows the network.
const REPORT: Duration = Duration::from_secs(1);

/// Has descriptions say that lost packets of sound may be asked for again. str0m says so of
/// pictures alone.
fn offer_repair(config: &mut CodecConfig) {
    let mut codecs = config.params().to_vec();
    for codec in codecs.iter_mut().filter(|codec| codec.spec().codec == Codec::Opus) {
        codec.set_fb_nack(true);
    }
    *config = CodecConfig::new_from_payload_params(codecs);
}

/// The state of a connection.
pub(crate) struct Core {
    pub(super) rtc: Rtc,
    pub(super) negotiation: Negotiation,
    pub(super) transceivers: Transceivers,
    pub(super) channels: Channels,
    pub(super) connection: PeerConnectionState,
    pub(super) ice: IceConnectionState,
    pub(super) gathering: IceGatheringState,
    pub(super) traffic: Traffic,
    pub(super) candidates: Candidates,
    /// The connection's task.
    pub(super) wake: Arc<Notify>,
    outbox: VecDeque<Transmit>,
    notices: VecDeque<Notice>,
    deadline: Instant,
    /// When the silence of the peer is taken for its end.
    failed_at: Option<Instant>,
    /// The address that was spoken from has gone: no other path is as good as one found anew.
    is_moved: bool,
    /// Packets of sound were asked for again.
    pub(super) repairs: bool,
    /// Whether keys have been agreed on: only then does a working path mean a connection.
    secured: bool,
}

/// What went over the sockets.
#[derive(Default, Clone, Copy)]
pub(super) struct Traffic {
    pub(super) packets_sent: u64,
    pub(super) packets_received: u64,
    pub(super) bytes_sent: u64,
    pub(super) bytes_received: u64,
    /// What found the outbox full.
    pub(super) packets_discarded: u64,
    pub(super) bytes_discarded: u64,
    /// The addresses that were used last, ours first.
    pub(super) pair: Option<(SocketAddr, SocketAddr)>,
    /// There and back between them.
    pub(super) trip: Option<Duration>,
}

/// What the core gives out at once.
pub(super) struct Work {
    /// Where addresses are to be looked for, how.
    pub(super) gather: Option<Wanted>,
    pub(super) datagrams: VecDeque<Transmit>,
    pub(super) notices: VecDeque<Notice>,
    pub(super) deadline: Instant,
    pub(super) is_closed: bool,
    /// Whether the peer is silent.
    pub(super) is_silent: bool,
}

impl Core {
    pub(super) fn new(snap: bool, wake: Arc<Notify>, now: Instant) -> Self {
        // Video is negotiated, since `livekit` always offers sections for it, and dropped.
        let mut config = RtcConfig::new()
            .clear_codecs()
            .enable_opus(true, true)
            .enable_vp8(true)
            .enable_h264(true)
            .set_rtp_mode(true)
            // Requests to send packets of sound again are told in no other way.
            .enable_raw_packets(true)
            .set_stats_interval(Some(REPORT))
            .set_rtcp_report_interval_audio(REPORT)
            .set_snap_enabled(snap)
            .set_sctp_max_buffered_amount(BUFFER_LIMIT);
        offer_repair(config.codec_config());
        Self {
            rtc: config.build(now),
            negotiation: Negotiation::default(),
            transceivers: Transceivers::new(wake.clone()),
            channels: Channels::default(),
            connection: PeerConnectionState::New,
            ice: IceConnectionState::New,
            gathering: IceGatheringState::New,
            traffic: Traffic::default(),
            candidates: Candidates::default(),
            wake,
            outbox: VecDeque::new(),
            notices: VecDeque::new(),
            deadline: now,
            failed_at: None,
            is_moved: false,
            repairs: false,
            secured: false,
        }
    }

    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    pub(super) fn is_closed(&self) -> bool {
        self.connection == PeerConnectionState::Closed
    }

    /// A datagram that arrived at `local`.
    pub(super) fn receive(
        &mut self,
        now: Instant,
        proto: Protocol,
        from: SocketAddr,
        local: SocketAddr,
        datagram: &[u8],
    ) {
        // What is neither STUN, DTLS nor RTP is anybody's garbage.
        let Ok(contents) = datagram.try_into() else { return };
        self.traffic.packets_received += 1;
        self.traffic.bytes_received += datagram.len() as u64;
        let receive = Receive { proto, source: from, destination: local, contents };
        self.input(now, Input::Receive(now, receive));
    }

    /// The time, where nothing else happened.
    pub(super) fn advance(&mut self, now: Instant) {
        if self.failed_at.is_some_and(|at| at <= now) {
            self.failed_at = None;
            self.is_moved = false;
            self.set_connection(PeerConnectionState::Failed);
        }
        if self.deadline <= now {
            self.input(now, Input::Timeout(now));
        }
    }

    fn input(&mut self, now: Instant, input: Input<'_>) {
        // A datagram is taken from who knows our password, or from where such a one has come from.
        if self.is_closed() || !self.rtc.accepts(&input) {
            return;
        }
        let is_datagram = matches!(input, Input::Receive(..));
        match self.guarded("taking a datagram or the time", |rtc| rtc.handle_input(input)) {
            // Anybody can write a datagram in the peer's name.
            Ok(Err(error)) if is_datagram && self.rtc.is_alive() => debug!(%error, "datagram lost"),
            Ok(Err(error)) => {
                warn!(%error, "connection failed");
                self.set_connection(PeerConnectionState::Failed);
            }
            Ok(Ok(())) | Err(_) => {}
        }
        self.drain(now);
    }

    /// Takes all that str0m has to say.
    pub(super) fn drain(&mut self, now: Instant) {
        self.release_candidates();
        self.poll_rtc(now);
        if self.report_sent() {
            self.poll_rtc(now);
        }
    }

    fn poll_rtc(&mut self, now: Instant) {
        loop {
            let Ok(output) = self.guarded("going on", Rtc::poll_output) else { continue };
            match output {
                Ok(Output::Timeout(deadline)) => {
                    self.deadline = deadline;
                    return;
                }
                Ok(Output::Transmit(datagram)) => self.transmit(datagram),
                Ok(Output::Event(event)) => self.on_event(now, event),
                Err(error) => {
                    warn!(%error, "connection failed");
                    self.set_connection(PeerConnectionState::Failed);
                    self.deadline = now + FAILED_AFTER;
                    return;
                }
            }
        }
    }

    fn transmit(&mut self, datagram: Transmit) {
        if self.outbox.len() >= OUTBOX_LIMIT {
            self.traffic.packets_discarded += 1;
            self.traffic.bytes_discarded += datagram.contents.len() as u64;
            return;
        }
        self.traffic.packets_sent += 1;
        self.traffic.bytes_sent += datagram.contents.len() as u64;
        if datagram.contents.first().is_some_and(|first| *first > LAST_OF_STUN) {
            self.traffic.pair = Some((datagram.source, datagram.destination));
        }
        self.outbox.push_back(datagram);
    }

    fn on_event(&mut self, now: Instant, event: Event) {
        match event {
            Event::Connected => {
                self.secured = true;
                self.transceivers.set_changed();
                self.set_connection(PeerConnectionState::Connected);
            }
            Event::IceConnectionStateChange(state) => self.on_ice(now, state),
            Event::ChannelOpen(id, label) => self.on_channel_open(id, &label),
            Event::ChannelData(data) => self.on_channel_data(data),
            Event::ChannelClose(id) => self.on_channel_close(id),
            Event::RtpPacket(packet) => self.on_packet(&packet),
            Event::RawPacket(packet) => {
                if let RawPacket::RtcpRx(Rtcp::Nack(nack)) = *packet {
                    self.on_nack(&nack);
                }
            }
            Event::MediaEgressStats(report) => self.on_sent_report(&report),
            Event::MediaIngressStats(report) => self.on_received_report(&report),
            Event::PeerStats(report) => {
                let pair = report.selected_candidate_pair;
                self.traffic.trip = pair.and_then(|pair| pair.current_round_trip_time);
            }
            Event::Closed => {
                debug!("the peer closed the connection");
                self.on_silence(now);
            }
            _ => {}
        }
    }

    fn on_ice(&mut self, now: Instant, state: str0m::IceConnectionState) {
        use str0m::IceConnectionState as Ice;
        let (ice, connection) = match state {
            Ice::New => return,
            Ice::Checking if self.secured => (IceConnectionState::Checking, None),
            Ice::Checking => (IceConnectionState::Checking, Some(PeerConnectionState::Connecting)),
            Ice::Connected | Ice::Completed if self.is_moved => return,
            Ice::Connected | Ice::Completed => {
                self.failed_at = None;
                let connected = self.secured.then_some(PeerConnectionState::Connected);
                let ice = if state == Ice::Completed {
                    IceConnectionState::Completed
                } else {
                    IceConnectionState::Connected
                };
                (ice, connected)
            }
            Ice::Disconnected => {
                self.on_silence(now);
                (IceConnectionState::Disconnected, None)
            }
        };
        if self.ice != ice {
            self.ice = ice;
            self.tell(Notice::IceConnection(ice));
        }
        if let Some(connection) = connection {
            self.set_connection(connection);
        }
    }

    /// The peer is silent or gone.
    fn on_silence(&mut self, now: Instant) {
        self.failed_at.get_or_insert(now + FAILED_AFTER);
        self.set_connection(PeerConnectionState::Disconnected);
    }

    /// An address of ours has gone.
    pub(super) fn remove_address(&mut self, now: Instant, address: SocketAddr) {
        let is_used = self.traffic.pair.is_some_and(|(source, _)| source == address);
        if self.secured && is_used && !self.is_closed() {
            self.is_moved = true;
            self.failed_at = Some(now + MOVED_AFTER);
            self.set_connection(PeerConnectionState::Disconnected);
        }
    }

    pub(super) fn set_connection(&mut self, state: PeerConnectionState) {
        if self.connection != state && !self.is_closed() {
            self.connection = state;
            self.tell(Notice::Connection(state));
        }
    }

    pub(super) fn tell(&mut self, notice: Notice) {
        self.notices.push_back(notice);
    }

    pub(super) fn set_gathering(&mut self, state: IceGatheringState) {
        if self.gathering != state {
            self.gathering = state;
            self.tell(Notice::Gathering(state));
        }
    }

    /// Ends it, with a last word to the peer.
    pub(super) fn close(&mut self, now: Instant) {
        if self.is_closed() {
            return;
        }
        if let Err(error) = self.rtc.close() {
            debug!(%error, "closed without a word");
        }
        self.drain(now);
        self.close_all_channels();
        self.transceivers.end();
        self.negotiation.close();
        self.ice = IceConnectionState::Closed;
        self.connection = PeerConnectionState::Closed;
    }

    /// Sends and plays the sound that is due. Returns when the next is.
    fn carry_sound(&mut self, now: Instant) -> Option<Instant> {
        if self.is_closed() {
            return None;
        }
        self.refresh_sending(now);
        let repaired = self.repair();
        if self.send_sound(now) || repaired {
            self.input(now, Input::Timeout(now));
        }
        let played = self.play_sound(now);
        self.sound_due_at(now).into_iter().chain(played).min()
    }

    /// Whether there is a path now.
    pub(super) fn is_working(&self) -> bool {
        self.connection == PeerConnectionState::Connected
    }

    pub(super) fn is_secured(&self) -> bool {
        self.secured
    }

    /// What is to be sent and told, and when to come again.
    pub(super) fn poll(&mut self, now: Instant) -> Work {
        let sound_at = self.carry_sound(now).unwrap_or(self.deadline);
        self.tell_encryption();
        let failed_at = self.failed_at.unwrap_or(self.deadline);
        let gather = std::mem::take(&mut self.candidates.due);
        Work {
            gather: gather.then(|| self.candidates.wanted.clone()),
            datagrams: std::mem::take(&mut self.outbox),
            notices: std::mem::take(&mut self.notices),
            deadline: self.deadline.min(failed_at).min(sound_at),
            is_closed: self.is_closed(),
            is_silent: self.ice == IceConnectionState::Disconnected,
        }
    }
}
