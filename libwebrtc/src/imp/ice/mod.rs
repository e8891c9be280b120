//! Ways to a peer beside our own UDP sockets.
//!
//! ```text
//!  url ───── which server, and how it is reached
//!  stun ──── messages of STUN and TURN, pure
//!  binding ─ asks a server how it sees us, pure
//!  turn ──── a relay's client, pure: time and datagrams are arguments
//!  requests ─ sent again until answered, pure
//!  frames ── datagrams on a TCP stream, pure
//!  tls ───── whom relays must prove to be
//!  stream ── a TCP connection that is polled, never waited for, perhaps with TLS
//! ```

pub(crate) mod binding;
pub(crate) mod frames;
pub(crate) mod requests;
pub(crate) mod stream;
pub(crate) mod stun;
pub(crate) mod tls;
pub(crate) mod turn;
pub(crate) mod url;
