//! The wall clock. Nothing below the command line reads it.

use std::time::SystemTime;

/// The time of day.
#[expect(clippy::disallowed_methods, reason = "the command line is where surroundings come in")]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}
