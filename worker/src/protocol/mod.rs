//! The agent worker protocol.
