//! The engine of voicegraph: it compiles a pipeline's text into a checked graph and runs one
//! instance of it per call.
//!
//! ```text
//!   pipeline.toml ──config──> Graph ──session──> one task per node, one bounded queue per edge
//!   + overlay                   │                    │ measures
//!                               └──── runtime ───────┴──> metrics ──http──> /edges /metrics /graph
//! ```
//!
//! It knows no provider: what a node does behind its ports is the business of the crate that
//! registers its kind.

pub mod message;
pub mod turn;
pub mod variables;

pub mod connect;
pub mod diagnostic;
pub mod event;

pub mod edge;
pub mod metrics;
pub mod resource;

pub mod call;
pub mod node;
mod ports;
pub mod registry;
pub mod secret;
pub mod signature;
pub mod transport;

pub mod config;
pub mod graph;

pub mod session;

pub mod runtime;

pub mod http;

#[cfg(any(test, feature = "testing"))]
pub mod testing;
