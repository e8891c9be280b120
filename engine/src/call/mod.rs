//! What is known of a call that is over: why and when it ended, and the record that nodes may keep.

mod end;
mod record;

pub use end::{CallEnd, EndReason};
pub use record::{CallRecord, RECORD_LIMIT, Unrecorded};
