//! What the peer's process writes, line by line.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// What happened in the room, as the SDK tells it.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(tag = "event", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the SDK's")]
pub enum Event {
    ParticipantConnected {
        from: String,
    },
    ParticipantDisconnected {
        from: String,
    },
    TrackSubscribed {
        from: String,
        track: String,
    },
    TrackUnsubscribed {
        from: String,
        track: String,
    },
    TrackMuted {
        from: String,
        track: String,
    },
    TrackUnmuted {
        from: String,
        track: String,
    },
    ActiveSpeakersChanged {
        speakers: Vec<String>,
    },
    ParticipantAttributesChanged {
        from: String,
        changed: BTreeMap<String, String>,
    },
    ParticipantMetadataChanged {
        from: String,
        metadata: String,
    },
    ParticipantNameChanged {
        from: String,
        name: String,
    },
    DataReceived {
        from: String,
        topic: String,
        reliable: bool,
        payload: String,
    },
    Level {
        track: String,
        rms: f64,
    },
    Words {
        from: String,
        topic: String,
        stream: String,
        text: String,
        attributes: BTreeMap<String, String>,
        ended: bool,
    },
    Text(Stream),
    Bytes(Stream),
    Reconnecting,
    Reconnected,
    Disconnected,
}

/// A stream that was read to its end.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Stream {
    /// Whose it was.
    pub from: String,
    /// Its topic.
    pub topic: String,
    /// The size that its header told, in bytes; 0 for none.
    pub announced: usize,
    /// The size that was read, in bytes.
    pub size: usize,
    /// The pieces that it came in.
    pub chunks: usize,
    /// The hash of what was read, in hexadecimal digits.
    pub sha256: String,
}

/// Why a command was not done.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Complaint {
    /// The code of a failed call to another participant.
    pub code: Option<u32>,
    /// In words.
    pub message: String,
    /// What a failed call brought.
    pub data: Option<String>,
}

/// What a command brought.
pub(super) type Answer = Result<Value, Complaint>;

/// What a line from the process is.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Line {
    Done { id: u64, ok: Value },
    Failed { id: u64, error: Complaint },
    Told(Event),
}
