//! Why a call in a room ended.

use std::time::Duration;

use livekit::DisconnectReason;
use livekit::prelude::DisconnectReason as Left;
use voicegraph_engine::session::{CallEnd, EndReason};

use crate::job::JobEnd;

/// Why a call in a room ended. The first cause counts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum End {
    /// The pipeline came to its end, and the agent left.
    #[error("the pipeline came to its end")]
    Finished,
    /// The process drains, and the call was asked to end.
    #[error("the worker ends")]
    Closed,
    /// The caller left for good.
    #[error("the caller left: {reason}")]
    CallerLeft {
        /// LiveKit's name for how.
        reason: &'static str,
    },
    /// Somebody deleted the room.
    #[error("the room was deleted")]
    RoomDeleted,
    /// The server closed the room, in which no people were left.
    #[error("the room was closed, as nobody was left")]
    RoomClosed,
    /// Somebody removed the agent from the room.
    #[error("the agent was removed from the room")]
    Removed,
    /// The server ended the job.
    #[error("the job was ended by the server")]
    Terminated,
    /// The room could not be joined.
    #[error("failed to join the room: {0}")]
    NotJoined(String),
    /// The agent's track could not be published.
    #[error("failed to publish the agent's voice: {0}")]
    NotPublished(String),
    /// Nobody came.
    #[error("nobody came within {} s", limit.as_secs())]
    NobodyCame {
        /// How long was waited.
        limit: Duration,
    },
    /// The caller's connection was lost, and the caller did not come back.
    #[error("the caller was lost ({reason}) and did not come back within {} s", limit.as_secs())]
    CallerLost {
        /// LiveKit's name for how.
        reason: &'static str,
        /// How long was waited.
        limit: Duration,
    },
    /// The agent's own connection was lost, and attempts to mend it were given up.
    #[error("the connection to the server was lost: {reason}")]
    ConnectionLost {
        /// LiveKit's name for how.
        reason: &'static str,
    },
    /// What the call was given does not fit the pipeline.
    #[error("the call was refused: {0}")]
    Refused(String),
    /// The pipeline failed.
    #[error("the pipeline failed: {0}")]
    PipelineFailed(String),
}

impl End {
    /// A short name for logs and tests.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Closed => "closed",
            Self::CallerLeft { .. } => "caller_left",
            Self::RoomDeleted => "room_deleted",
            Self::RoomClosed => "room_closed",
            Self::Removed => "removed",
            Self::Terminated => "terminated",
            Self::NotJoined(_) => "not_joined",
            Self::NotPublished(_) => "not_published",
            Self::NobodyCame { .. } => "nobody_came",
            Self::CallerLost { .. } => "caller_lost",
            Self::ConnectionLost { .. } => "connection_lost",
            Self::Refused(_) => "refused",
            Self::PipelineFailed(_) => "pipeline_failed",
        }
    }

    /// The end of the agent's own connection.
    pub(super) fn of_connection(reason: DisconnectReason) -> Self {
        match reason {
            DisconnectReason::RoomDeleted => Self::RoomDeleted,
            DisconnectReason::RoomClosed => Self::RoomClosed,
            DisconnectReason::ParticipantRemoved => Self::Removed,
            reason => Self::ConnectionLost { reason: reason.as_str_name() },
        }
    }

    /// The end of the pipeline's part, where the room had not ended before.
    pub(super) fn of_call(end: &CallEnd) -> Self {
        match &end.reason {
            EndReason::Finished | EndReason::HungUp => Self::Finished,
            EndReason::Closed => Self::Closed,
            EndReason::Refused { what } => Self::Refused(what.clone()),
            failed => Self::PipelineFailed(failed.to_string()),
        }
    }
}

impl From<&End> for JobEnd {
    fn from(end: &End) -> Self {
        match end {
            End::Finished
            | End::Closed
            | End::CallerLeft { .. }
            | End::RoomDeleted
            | End::RoomClosed
            | End::Removed
            | End::Terminated => Self::Success,
            failed => Self::Failed(format!("{}: {failed}", failed.name())),
        }
    }
}

/// LiveKit's name for how a participant left.
pub(super) fn name_of(reason: Left) -> &'static str {
    match reason {
        Left::UnknownReason => "UNKNOWN_REASON",
        Left::ClientInitiated => "CLIENT_INITIATED",
        Left::DuplicateIdentity => "DUPLICATE_IDENTITY",
        Left::ServerShutdown => "SERVER_SHUTDOWN",
        Left::ParticipantRemoved => "PARTICIPANT_REMOVED",
        Left::RoomDeleted => "ROOM_DELETED",
        Left::StateMismatch => "STATE_MISMATCH",
        Left::JoinFailure => "JOIN_FAILURE",
        Left::Migration => "MIGRATION",
        Left::SignalClose => "SIGNAL_CLOSE",
        Left::RoomClosed => "ROOM_CLOSED",
        Left::UserUnavailable => "USER_UNAVAILABLE",
        Left::UserRejected => "USER_REJECTED",
        Left::SipTrunkFailure => "SIP_TRUNK_FAILURE",
        Left::ConnectionTimeout => "CONNECTION_TIMEOUT",
        Left::MediaFailure => "MEDIA_FAILURE",
        Left::AgentError => "AGENT_ERROR",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_ended_it_decides_what_the_server_is_told() {
        let left = End::CallerLeft { reason: "CLIENT_INITIATED" };
        for end in [End::Finished, left, End::RoomDeleted, End::Terminated, End::Closed] {
            assert_eq!(JobEnd::from(&end), JobEnd::Success, "{end:?}");
        }
        let limit = Duration::from_secs(20);
        let lost = End::CallerLost { reason: "SIGNAL_CLOSE", limit };
        let text = "caller_lost: the caller was lost (SIGNAL_CLOSE) and did not come back within \
                    20 s";
        assert_eq!(JobEnd::from(&lost), JobEnd::Failed(text.to_owned()));
    }

    #[test]
    fn a_connection_that_was_ended_on_purpose_is_no_loss() {
        assert_eq!(End::of_connection(DisconnectReason::RoomDeleted), End::RoomDeleted);
        assert_eq!(End::of_connection(DisconnectReason::ParticipantRemoved), End::Removed);
        assert_eq!(End::of_connection(DisconnectReason::SignalClose).name(), "connection_lost");
    }
}
