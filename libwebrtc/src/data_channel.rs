//! Messages between two peers: reliable or lossy, in order or not.

use std::fmt;
use std::str::Utf8Error;

use thiserror::Error;

use crate::imp::channel::Channel;

/// How a channel is to be.
#[derive(Clone, Debug)]
pub struct DataChannelInit {
    /// Whether messages arrive in the order they were sent in.
    pub ordered: bool,
    /// For how many milliseconds a message is sent again; not beside `max_retransmits`.
    pub max_retransmit_time: Option<i32>,
    /// How often a message is sent again; 0 sends it once.
    pub max_retransmits: Option<i32>,
    /// A name that both sides may agree on.
    pub protocol: String,
    /// Whether both sides make the channel by `id`, so that nothing opens it on the wire.
    pub negotiated: bool,
    /// The stream, 0 to 65534, where `negotiated`; otherwise -1.
    pub id: i32,
}

impl Default for DataChannelInit {
    fn default() -> Self {
        Self {
            ordered: true,
            max_retransmit_time: None,
            max_retransmits: None,
            protocol: String::new(),
            negotiated: false,
            id: -1,
        }
    }
}

/// Why a message was not taken.
#[derive(Debug, Error)]
pub enum DataChannelError {
    /// The channel is not open, or as much waits to be sent as may.
    #[error("failed to send: the channel is not open, or its buffer is full")]
    Send,
    /// A text message that is none.
    #[error("failed to send: a text message must be UTF-8")]
    Utf8(#[from] Utf8Error),
}

/// Where a channel stands.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum DataChannelState {
    /// Not open yet.
    Connecting,
    /// Messages flow.
    Open,
    /// Closed here, not yet on the other side.
    Closing,
    /// Gone.
    Closed,
}

/// A message that arrived.
#[derive(Debug)]
pub struct DataBuffer<'a> {
    /// The bytes.
    pub data: &'a [u8],
    /// Whether it was sent as bytes rather than as text.
    pub binary: bool,
}

/// Called when the state changes.
pub type OnStateChange = Box<dyn FnMut(DataChannelState) + Send + Sync>;
/// Called for each message.
pub type OnMessage = Box<dyn FnMut(DataBuffer) + Send + Sync>;
/// Called with the number of bytes that left the buffer since the last call.
pub type OnBufferedAmountChange = Box<dyn FnMut(u64) + Send + Sync>;

/// A channel; clones are the same channel.
#[derive(Clone)]
pub struct DataChannel {
    pub(crate) handle: Channel,
}

impl DataChannel {
    /// Queues a message. Each byte that was taken is told once to `on_buffered_amount_change`.
    pub fn send(&self, data: &[u8], binary: bool) -> Result<(), DataChannelError> {
        if !binary {
            std::str::from_utf8(data)?;
        }
        self.handle.send(data, binary)
    }

    /// The stream, or -1 while it has none.
    pub fn id(&self) -> i32 {
        self.handle.id()
    }

    /// The name.
    pub fn label(&self) -> String {
        self.handle.label().to_owned()
    }

    /// Where it stands.
    pub fn state(&self) -> DataChannelState {
        self.handle.state()
    }

    /// Closes it on both sides; what is queued may be lost.
    pub fn close(&self) {
        self.handle.close();
    }

    /// How many bytes wait to be sent or confirmed.
    pub fn buffered_amount(&self) -> u64 {
        self.handle.buffered_amount()
    }

    /// Sets what is called when the state changes.
    pub fn on_state_change(&self, callback: Option<OnStateChange>) {
        self.handle.on_state_change(callback);
    }

    /// Sets what is called for each message; what came before is delivered at once.
    pub fn on_message(&self, callback: Option<OnMessage>) {
        self.handle.on_message(callback);
    }

    /// Sets what is called when bytes leave the buffer.
    pub fn on_buffered_amount_change(&self, callback: Option<OnBufferedAmountChange>) {
        self.handle.on_buffered_amount_change(callback);
    }
}

impl fmt::Debug for DataChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataChannel")
            .field("id", &self.id())
            .field("label", &self.label())
            .field("state", &self.state())
            .finish()
    }
}
