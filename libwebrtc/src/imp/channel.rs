//! A data channel as its users hold it.
//!
//! The record is shared by the user and the connection; it knows no connection itself, so that a
//! connection's table of records keeps nothing alive. Messages wait in it until the user has set
//! a function for them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use parking_lot::Mutex;
use tracing::warn;

use super::callback::Callback;
use super::peer_connection::Shared;
use crate::data_channel::{
    DataBuffer, DataChannelError, DataChannelState, OnBufferedAmountChange, OnMessage,
    OnStateChange,
};

/// How many bytes wait for a user who has set no function; what comes then is dropped.
const INBOX_LIMIT: usize = 1 << 20;

/// How many messages wait for such a user.
const INBOX_MESSAGES: usize = 1024;

/// A channel with the connection that it belongs to.
#[derive(Clone)]
pub(crate) struct Channel {
    pub(crate) shared: Arc<Shared>,
    pub(crate) record: Arc<Record>,
}

/// What is known of a channel.
pub(crate) struct Record {
    label: String,
    id: AtomicI32,
    state: Mutex<DataChannelState>,
    inbox: Mutex<Inbox>,
    on_state: Callback<OnStateChange>,
    on_message: Callback<OnMessage>,
    on_sent: Callback<OnBufferedAmountChange>,
}

#[derive(Default)]
struct Inbox {
    messages: VecDeque<Message>,
    bytes: usize,
}

/// A message that arrived.
pub(crate) struct Message {
    pub(crate) data: Vec<u8>,
    pub(crate) binary: bool,
}

impl Channel {
    pub(crate) fn send(&self, data: &[u8], binary: bool) -> Result<(), DataChannelError> {
        let taken = self.shared.with(|core, _| core.send(&self.record, data, binary));
        if taken { Ok(()) } else { Err(DataChannelError::Send) }
    }

    pub(crate) fn id(&self) -> i32 {
        self.record.id.load(Ordering::Relaxed)
    }

    pub(crate) fn label(&self) -> &str {
        &self.record.label
    }

    pub(crate) fn state(&self) -> DataChannelState {
        self.record.state()
    }

    pub(crate) fn close(&self) {
        self.shared.with(|core, _| core.close_channel(&self.record));
    }

    pub(crate) fn buffered_amount(&self) -> u64 {
        self.shared.with(|core, _| core.buffered_amount(&self.record))
    }

    pub(crate) fn on_state_change(&self, callback: Option<OnStateChange>) {
        self.record.on_state.set(callback);
    }

    pub(crate) fn on_message(&self, callback: Option<OnMessage>) {
        let is_set = callback.is_some();
        self.record.on_message.set(callback);
        if is_set {
            self.shared.with(|core, _| core.deliver(&self.record));
        }
    }

    pub(crate) fn on_buffered_amount_change(&self, callback: Option<OnBufferedAmountChange>) {
        self.record.on_sent.set(callback);
    }
}

impl Record {
    pub(crate) fn new(label: &str, id: i32, state: DataChannelState) -> Self {
        Self {
            label: label.to_owned(),
            id: AtomicI32::new(id),
            state: Mutex::new(state),
            inbox: Mutex::default(),
            on_state: Callback::default(),
            on_message: Callback::default(),
            on_sent: Callback::default(),
        }
    }

    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    pub(crate) fn id(&self) -> i32 {
        self.id.load(Ordering::Relaxed)
    }

    pub(crate) fn set_id(&self, id: i32) {
        self.id.store(id, Ordering::Relaxed);
    }

    pub(crate) fn state(&self) -> DataChannelState {
        *self.state.lock()
    }

    /// Whether the state is another than before.
    pub(crate) fn set_state(&self, state: DataChannelState) -> bool {
        std::mem::replace(&mut *self.state.lock(), state) != state
    }

    /// Keeps a message for [`Record::deliver`].
    pub(crate) fn keep(&self, message: Message) {
        let mut inbox = self.inbox.lock();
        let bytes = inbox.bytes + message.data.len();
        // With a function set the inbox is emptied at once, so that it takes any one message.
        let full = bytes > INBOX_LIMIT || inbox.messages.len() >= INBOX_MESSAGES;
        if full && !self.on_message.is_set() {
            warn!(label = %self.label, "message dropped: nobody listens to the channel");
            return;
        }
        inbox.bytes = bytes;
        inbox.messages.push_back(message);
    }

    /// Hands what was kept to the user, if there is one.
    pub(crate) fn deliver(&self) {
        while self.on_message.is_set() {
            let Some(Message { data, binary }) = self.next() else { return };
            self.on_message.call(|function| function(DataBuffer { data: &data, binary }));
        }
    }

    /// The oldest message that waits.
    pub(crate) fn next(&self) -> Option<Message> {
        let mut inbox = self.inbox.lock();
        let message = inbox.messages.pop_front()?;
        inbox.bytes -= message.data.len();
        Some(message)
    }

    pub(crate) fn tell_state(&self, state: DataChannelState) {
        self.on_state.call(|function| function(state));
    }

    pub(crate) fn tell_sent(&self, bytes: u64) {
        self.on_sent.call(|function| function(bytes));
    }

    /// Lets go of all functions, and of what they hold.
    pub(crate) fn clear(&self) {
        self.on_state.set(None);
        self.on_message.set(None);
        self.on_sent.set(None);
        *self.inbox.lock() = Inbox::default();
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn record() -> Record {
        Record::new("notes", 1, DataChannelState::Open)
    }

    fn message(length: usize) -> Message {
        Message { data: vec![7; length], binary: true }
    }

    /// How many of `count` messages of that length wait for a user who has set no function.
    fn kept(count: usize, length: usize) -> usize {
        let record = record();
        (0..count).for_each(|_| record.keep(message(length)));
        std::iter::from_fn(|| record.next()).count()
    }

    #[test]
    fn no_more_waits_for_a_user_than_the_limits() {
        assert_eq!(kept(INBOX_MESSAGES + 10, 1), INBOX_MESSAGES);
        assert_eq!(kept(10, INBOX_LIMIT / 4), 4);
        assert_eq!(kept(1, INBOX_LIMIT + 1), 0);
    }

    #[test]
    fn what_was_taken_away_makes_room() {
        let record = record();
        for _ in 0..3 {
            record.keep(message(INBOX_LIMIT));
            assert!(record.next().is_some());
        }
    }

    #[test]
    fn a_user_who_listens_gets_all() {
        let record = record();
        let (told, heard) = std::sync::mpsc::sync_channel(1);
        let listen = move |message: DataBuffer<'_>| told.send(message.data.len()).unwrap();
        record.on_message.set(Some(Box::new(listen)));
        record.keep(message(INBOX_LIMIT + 1));
        record.deliver();
        assert_eq!(heard.try_iter().collect::<Vec<_>>(), [INBOX_LIMIT + 1]);
    }

    /// The log, as it is written.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
            self.0.lock().extend_from_slice(line);
            Ok(line.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_message_that_is_dropped_is_told_in_the_log() {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, || kept(INBOX_MESSAGES + 2, 1));
        let log = String::from_utf8(log.0.lock().clone()).unwrap();
        assert_eq!(log.matches("message dropped").count(), 2, "{log}");
        assert!(log.contains("notes"), "{log}");
    }
}
