//! What the benches and the programs beside them share.

pub mod guest;
pub mod hop;
pub mod lines;
pub mod server;
pub mod table;
