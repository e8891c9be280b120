//! The numbers of one process, keyed by pipeline and edge or node.

mod node;

pub use node::NodeMeter;
