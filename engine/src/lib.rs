//! The engine of voicegraph.

pub mod config;
pub mod connect;
pub mod diagnostic;
pub mod edge;
pub mod event;
pub mod graph;
pub mod message;
pub mod metrics;
pub mod node;
mod ports;
pub mod registry;
pub mod secret;
pub mod signature;
pub mod transport;
pub mod turn;
