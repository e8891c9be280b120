//! One answer within a call: its life, what was heard of it, and where its time went.
//!
//! ```text
//!   begin ──> thinking ──first frame played──> speaking ──last frame played──> completed
//!              │ ▲  │                           │ ▲  │
//!          hold│ │resume                    hold│ │resume
//!              └─┴──┴─────── interrupt ─────────┴─┴──┴──> interrupted
//! ```
//!
//! While a turn is held no sound of it begins.
//!
//! Every stage holds a [`Turn`] to read: it is told of the interruption at the same instant as all
//! others. Only the one owner of the [`TurnControl`] can begin and interrupt.

mod control;
mod heard;
mod ledger;
mod report;
mod state;

pub(crate) use control::CurrentTurn;
pub use control::{Beginning, TurnControl};
pub use heard::{Heard, SpokenWord};
pub use ledger::{Anchor, Mark, WaitGuard};
pub use report::{Outcome, TurnId, TurnReport};
pub use state::Turn;
