//! What a kind's options may be, read from its JSON Schema.
//!
//! ```text
//!   JSON Schema ──> Rule ──verify──> diagnostics with the place of each value
//!                    └────describe─> "an integer from 10 to 10000", for help and manuals
//! ```
//!
//! The schema says types, ranges, choices and what is required. What it cannot say is the kind's
//! own `build` to check.

mod describe;
mod mistakes;
mod place;
mod rule;
mod verify;

pub(crate) use describe::{describe, example, shorten};
pub(crate) use mistakes::Subject;
pub(crate) use place::find;
pub(crate) use rule::{Field, Rule, TableRule, is_secret, rule_of};
pub(crate) use verify::{Verified, verify};
