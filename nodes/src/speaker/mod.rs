//! `speaker`: gives the agent's audio to the caller's ear, and knows how much of it was heard.
//!
//! ```text
//!   audio ──> waiting ──play──> given to the sink ──begins──> heard
//!                ▲                     │
//!                └── hold, clear ──────┘   (what had not begun is played again on resume)
//! ```
//!
//! In: `audio`, frames of any rate; the sink resamples. Out: nothing but facts on the turn: when
//! its first sound began, how much was heard, when it fell silent, when it was played to its end.
//!
//! A frame in hand, the one that is being played, always finishes: the agent falls silent within
//! one frame of an interruption or a hold. When the input closes, what was received is played to
//! its end.

mod node;
mod state;
#[cfg(test)]
mod tests;

pub use node::{Options, Speaker};
