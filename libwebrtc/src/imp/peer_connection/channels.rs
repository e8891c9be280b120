//! The data channels of a connection.
//!
//! A channel waits here until the descriptions have agreed on a section for data; only then does
//! str0m hear of it. So an offer can be dropped without a trace, and a channel can be closed before
//! it ever was.

use std::sync::Arc;

use str0m::channel::{ChannelConfig, ChannelData, ChannelId, Reliability};
use tracing::{debug, warn};

use super::core::Core;
use super::notice::Notice;
use crate::RtcError;
use crate::data_channel::{DataChannelInit, DataChannelState};
use crate::imp::channel::{Message, Record};

/// How many channels a connection has at most; a peer cannot make us hold more.
pub(super) const LIMIT: usize = 1024;

/// The label of the channel whose only use is to have str0m offer a section for data.
pub(super) const PLACEHOLDER: &str = "\u{0}placeholder";

/// The streams of placeholders; channels of ours stay below. 65535 is no stream (RFC 8832).
pub(super) const PLACEHOLDER_STREAMS: std::ops::Range<u16> = 64_000..65_535;

/// All channels that are not closed.
#[derive(Default)]
pub(super) struct Channels {
    entries: Vec<Entry>,
    /// Records of channels that were closed, until their users are told.
    closed: Vec<Arc<Record>>,
    opened: u32,
    ended: u32,
}

struct Entry {
    record: Arc<Record>,
    config: ChannelConfig,
    /// str0m's name of it, once the descriptions have a section for data.
    id: Option<ChannelId>,
    written: u64,
    reported: u64,
    messages_sent: u32,
    messages_received: u32,
    bytes_received: u64,
}

/// What a channel has carried.
pub(super) struct ChannelFigures {
    pub(super) record: Arc<Record>,
    pub(super) protocol: String,
    pub(super) messages_sent: u32,
    pub(super) bytes_sent: u64,
    pub(super) messages_received: u32,
    pub(super) bytes_received: u64,
}

impl Entry {
    fn new(record: Arc<Record>, config: ChannelConfig, id: Option<ChannelId>) -> Self {
        Self {
            record,
            config,
            id,
            written: 0,
            reported: 0,
            messages_sent: 0,
            messages_received: 0,
            bytes_received: 0,
        }
    }
}

impl Channels {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many were opened and closed so far.
    pub(super) fn counts(&self) -> (u32, u32) {
        (self.opened, self.ended)
    }

    pub(super) fn figures(&self) -> impl Iterator<Item = ChannelFigures> {
        self.entries.iter().map(|entry| ChannelFigures {
            record: entry.record.clone(),
            protocol: entry.config.protocol.clone(),
            messages_sent: entry.messages_sent,
            bytes_sent: entry.written,
            messages_received: entry.messages_received,
            bytes_received: entry.bytes_received,
        })
    }

    fn find(&mut self, record: &Arc<Record>) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| Arc::ptr_eq(&entry.record, record))
    }

    fn find_id(&mut self, id: ChannelId) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.id == Some(id))
    }

    fn has_stream(&self, stream: u16) -> bool {
        self.entries.iter().any(|entry| entry.record.id() == i32::from(stream))
    }
}

impl Core {
    /// A channel of ours.
    pub(super) fn create_channel(
        &mut self,
        label: &str,
        init: &DataChannelInit,
    ) -> Result<Arc<Record>, RtcError> {
        if self.is_closed() {
            return Err(RtcError::invalid_state("the connection is closed"));
        }
        if self.channels.entries.len() >= LIMIT {
            return Err(RtcError::invalid_state(format!("there are {LIMIT} channels already")));
        }
        let config = channel_config(label, init)?;
        if let Some(stream) = config.negotiated.filter(|stream| self.channels.has_stream(*stream)) {
            return Err(RtcError::invalid_state(format!("stream {stream} has a channel already")));
        }
        let id = config.negotiated.map_or(-1, i32::from);
        let record = Arc::new(Record::new(label, id, DataChannelState::Connecting));
        self.channels.entries.push(Entry::new(record.clone(), config, None));
        self.open_waiting_channels();
        Ok(record)
    }

    /// Hands the channels that wait to str0m, if there is a section for data.
    pub(super) fn open_waiting_channels(&mut self) {
        if !self.negotiation.has_data {
            return;
        }
        let mut taken = Vec::new();
        for entry in self.channels.entries.iter_mut().filter(|entry| entry.id.is_none()) {
            let mut api = self.rtc.direct_api();
            // str0m panics where a stream has a channel, which the peer may have opened meanwhile.
            let stream = entry.config.negotiated;
            if stream.is_some_and(|stream| api.channel_id_by_sctp_stream_id(stream).is_some()) {
                warn!(label = entry.record.label(), "channel closed: its stream is in use");
                taken.push(entry.record.clone());
                continue;
            }
            entry.id = Some(api.create_data_channel(entry.config.clone()));
        }
        for record in taken {
            self.remove_channel(&record);
        }
    }

    /// Whether the message was taken.
    pub(crate) fn send(&mut self, record: &Arc<Record>, data: &[u8], binary: bool) -> bool {
        if record.state() != DataChannelState::Open || self.is_closed() {
            return false;
        }
        let Some(entry) = self.channels.find(record) else { return false };
        let Some(mut channel) = entry.id.and_then(|id| self.rtc.channel(id)) else { return false };
        match channel.write(binary, data) {
            Ok(true) => {
                entry.written += data.len() as u64;
                entry.messages_sent += 1;
                true
            }
            Ok(false) => false,
            Err(error) => {
                debug!(%error, label = record.label(), "message not taken");
                false
            }
        }
    }

    /// How many bytes of it wait to be sent or confirmed.
    pub(crate) fn buffered_amount(&mut self, record: &Arc<Record>) -> u64 {
        self.channels.find(record).map_or(0, |entry| entry.written - entry.reported)
    }

    /// Closes a channel, wherever it stands.
    pub(crate) fn close_channel(&mut self, record: &Arc<Record>) {
        if self.is_closed() {
            return;
        }
        let Some(entry) = self.channels.find(record) else { return };
        match entry.id.filter(|_| record.state() == DataChannelState::Open) {
            Some(id) => {
                self.rtc.direct_api().close_data_channel(id);
                self.set_channel_state(record, DataChannelState::Closing);
            }
            // str0m closes no channel that is not open: it is closed when it opens.
            None if entry.id.is_some() => {
                self.set_channel_state(record, DataChannelState::Closing);
            }
            None => self.remove_channel(record),
        }
    }

    /// Has what waits in the channel told.
    pub(crate) fn deliver(&mut self, record: &Arc<Record>) {
        self.tell(Notice::Message(record.clone()));
    }

    pub(super) fn on_channel_open(&mut self, id: ChannelId, label: &str) {
        let stream = self.rtc.direct_api().sctp_stream_id_by_channel_id(id);
        if stream.is_some_and(|stream| PLACEHOLDER_STREAMS.contains(&stream)) {
            return;
        }
        let stream = stream.map_or(-1, i32::from);
        let Some(entry) = self.channels.find_id(id) else {
            return self.on_remote_channel(id, stream, label);
        };
        let record = entry.record.clone();
        record.set_id(stream);
        if record.state() == DataChannelState::Closing {
            self.rtc.direct_api().close_data_channel(id);
            return;
        }
        self.channels.opened += 1;
        self.set_channel_state(&record, DataChannelState::Open);
    }

    fn on_remote_channel(&mut self, id: ChannelId, stream: i32, label: &str) {
        if self.channels.entries.len() >= LIMIT {
            warn!("a channel of the peer is closed: there are too many");
            self.rtc.direct_api().close_data_channel(id);
            return;
        }
        let config = self.rtc.channel(id).and_then(|channel| channel.config().cloned());
        let record = Arc::new(Record::new(label, stream, DataChannelState::Open));
        let entry = Entry::new(record.clone(), config.unwrap_or_default(), Some(id));
        self.channels.entries.push(entry);
        self.channels.opened += 1;
        self.tell(Notice::DataChannel(record));
    }

    pub(super) fn on_channel_data(&mut self, data: ChannelData) {
        let Some(entry) = self.channels.find_id(data.id) else { return };
        entry.messages_received += 1;
        entry.bytes_received += data.data.len() as u64;
        let record = entry.record.clone();
        record.keep(Message { data: data.data, binary: data.binary });
        self.deliver(&record);
    }

    pub(super) fn on_channel_close(&mut self, id: ChannelId) {
        let record = self.channels.find_id(id).map(|entry| entry.record.clone());
        if let Some(record) = record {
            self.remove_channel(&record);
        }
    }

    fn remove_channel(&mut self, record: &Arc<Record>) {
        self.channels.entries.retain(|entry| !Arc::ptr_eq(&entry.record, record));
        self.channels.ended += 1;
        self.set_channel_state(record, DataChannelState::Closed);
    }

    fn set_channel_state(&mut self, record: &Arc<Record>, state: DataChannelState) {
        if record.set_state(state) {
            self.tell(Notice::ChannelState(record.clone(), state));
        }
    }

    /// Closes all of them, with the connection.
    pub(super) fn close_all_channels(&mut self) {
        let records: Vec<_> = self.channels.entries.drain(..).map(|entry| entry.record).collect();
        for record in &records {
            self.channels.ended += 1;
            self.set_channel_state(record, DataChannelState::Closed);
        }
        self.channels.closed.extend(records);
    }

    /// The records whose users have been told all.
    pub(super) fn take_records(&mut self) -> Vec<Arc<Record>> {
        std::mem::take(&mut self.channels.closed)
    }

    /// Tells how many bytes have left each buffer. Returns whether it asked str0m.
    pub(super) fn report_sent(&mut self) -> bool {
        let mut sent = Vec::new();
        let mut asked = false;
        for entry in self.channels.entries.iter_mut().filter(|it| it.reported < it.written) {
            let Some(mut channel) = entry.id.and_then(|id| self.rtc.channel(id)) else { continue };
            asked = true;
            // str0m counts what opens the channel too: there may be more than was written.
            let buffered = channel.buffered_amount() as u64;
            let left = entry.written.saturating_sub(buffered);
            if left > entry.reported {
                sent.push(Notice::Sent(entry.record.clone(), left - entry.reported));
                entry.reported = left;
            }
        }
        for notice in sent {
            self.tell(notice);
        }
        asked
    }
}

fn channel_config(label: &str, init: &DataChannelInit) -> Result<ChannelConfig, RtcError> {
    let limited =
        |value: Option<i32>| value.map(|value| value.clamp(0, i32::from(u16::MAX)) as u16);
    let reliability = match (limited(init.max_retransmit_time), limited(init.max_retransmits)) {
        (Some(_), Some(_)) => {
            let message = "a channel is limited by time or by number of retransmits, not by both";
            return Err(RtcError::invalid_state(message));
        }
        (Some(lifetime), None) => Reliability::MaxPacketLifetime { lifetime },
        (None, Some(retransmits)) => Reliability::MaxRetransmits { retransmits },
        (None, None) => Reliability::Reliable,
    };
    let negotiated = if init.negotiated { Some(stream(init.id)?) } else { None };
    Ok(ChannelConfig {
        label: label.to_owned(),
        ordered: init.ordered,
        reliability,
        negotiated,
        protocol: init.protocol.clone(),
    })
}

fn stream(id: i32) -> Result<u16, RtcError> {
    let stream = u16::try_from(id).ok().filter(|stream| *stream < PLACEHOLDER_STREAMS.start);
    stream.ok_or_else(|| {
        let limit = PLACEHOLDER_STREAMS.start;
        RtcError::invalid_state(format!(
            "stream {id} of a negotiated channel: use 0 to below {limit}"
        ))
    })
}
