//! What the benches and the programs beside them share.

pub mod hop;
pub mod process;
