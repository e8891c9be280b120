//! The engine of voicegraph.

pub mod connect;
pub mod edge;
pub mod event;
pub mod graph;
pub mod message;
pub mod metrics;
pub mod node;
mod ports;
pub mod registry;
pub mod runtime;
pub mod secret;
pub mod session;
pub mod signature;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod transport;
pub mod turn;
