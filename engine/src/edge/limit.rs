//! How much an edge may hold, and what happens when it is full.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use serde::Serialize;

/// How much an edge may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// At most so many messages.
    Count(NonZeroU32),
    /// Messages that last at most so long together, in milliseconds; a single longer one fits an
    /// empty queue.
    Millis(NonZeroU32),
}

impl Limit {
    /// Whether a queue of `count` messages and `length` of sound has room for one more of `extra`.
    pub(super) fn has_room(self, count: usize, length: Duration, extra: Duration) -> bool {
        match self {
            Self::Count(limit) => count < limit.get() as usize,
            Self::Millis(limit) => {
                count == 0 || length + extra <= Duration::from_millis(u64::from(limit.get()))
            }
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(limit) => write!(f, "{limit}"),
            Self::Millis(limit) => write!(f, "{limit} ms"),
        }
    }
}

/// What happens to a message that finds its edge full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Overflow {
    /// The sender waits for room. Nothing is dropped.
    Block,
    /// The oldest messages make room, and are counted.
    DropOldest,
    /// The new message is dropped, and counted.
    DropNewest,
    /// The call ends with an error: this must not happen.
    Fail,
}

impl Overflow {
    /// Every policy.
    pub const ALL: [Self; 4] = [Self::Block, Self::DropOldest, Self::DropNewest, Self::Fail];

    /// The name in TOML.
    pub fn name(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::DropOldest => "drop_oldest",
            Self::DropNewest => "drop_newest",
            Self::Fail => "fail",
        }
    }
}

impl fmt::Display for Overflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
