//! What the benches and the programs beside them share.

pub mod guest;
pub mod hop;
pub mod http;
pub mod lines;
pub mod process;
pub mod program;
pub mod table;
