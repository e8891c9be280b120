//! What every provider node needs: the classes of failure, the pace of retries, a websocket.

mod backoff;
mod failure;
mod websocket;

pub use backoff::Backoff;
pub use failure::{Failure, Verdict};
pub use websocket::{Request, WebSocket, open};
