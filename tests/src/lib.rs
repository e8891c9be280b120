//! What the whole-system tests share.

pub mod scenario;
pub mod slow_tool;
