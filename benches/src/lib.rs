//! What the benches and the gate measure, written once for both.

pub mod hop;
