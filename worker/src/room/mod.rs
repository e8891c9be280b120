//! A room as the transport of a call.
