//! Ways to a peer beside our own UDP sockets.
//!
//! ```text
//!  frames ── datagrams on a TCP stream, pure
//!  stream ── a TCP connection that is polled, never waited for
//! ```

pub(crate) mod frames;
pub(crate) mod stream;
