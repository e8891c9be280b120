//! What the whole-system tests share.

pub mod program;
pub mod python;
pub mod scenario;
pub mod simulate;
pub mod slow_tool;
pub mod tidy;
pub mod workspace;
