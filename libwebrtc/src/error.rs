//! The error of every call that negotiates or changes a connection, and the kinds of media.

use thiserror::Error;

/// What a transceiver or a section of a description carries.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum MediaType {
    /// Sound.
    Audio,
    /// Pictures.
    Video,
    /// Messages.
    Data,
    /// Anything else.
    Unsupported,
}

/// The class of an [`RtcError`].
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum RtcErrorType {
    /// It failed below, or this build does not do it.
    Internal,
    /// A description or a candidate is not to be understood.
    InvalidSdp,
    /// The call does not fit the state of the object.
    InvalidState,
}

/// Why a call failed.
#[derive(Error, Debug)]
#[error("{message} ({error_type:?})")]
pub struct RtcError {
    /// The class, for programs.
    pub error_type: RtcErrorType,
    /// The reason, for people.
    pub message: String,
}

impl RtcError {
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self { error_type: RtcErrorType::Internal, message: message.into() }
    }

    pub(crate) fn invalid_sdp(message: impl Into<String>) -> Self {
        Self { error_type: RtcErrorType::InvalidSdp, message: message.into() }
    }

    pub(crate) fn invalid_state(message: impl Into<String>) -> Self {
        Self { error_type: RtcErrorType::InvalidState, message: message.into() }
    }

    /// For what this build leaves out on purpose.
    pub(crate) fn unsupported(what: &str) -> Self {
        Self::internal(format!("{what} is not supported by this build of libwebrtc"))
    }
}
