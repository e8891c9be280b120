//! What the whole-system tests share.

pub mod tidy;
pub mod workspace;
