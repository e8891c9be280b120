//! The seed of a process: different at each start, so that ids do not repeat.

use std::hash::{BuildHasher, RandomState};

/// A seed from the operating system's randomness.
pub(crate) fn from_system() -> u64 {
    RandomState::new().hash_one(std::process::id())
}
