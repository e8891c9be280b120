//! What the whole-system tests share.

pub mod python;
pub mod simulate;
pub mod tidy;
pub mod workspace;
