//! `turn_detector`: decides when the caller has finished, and when the caller interrupts.
//!
//! ```text
//!   speech ─────┐  ┌────────┐   ┌──────────┐ over ──> begin ──> turn
//!               ├─>│ voice  │──>│ dialogue │
//!   transcript ─┤  │ words  │   │          │ barge-in ──> hold ──> interrupt | resume
//!   input ──────┘  │ keypad │   │          │
//!                  └────────┘   └──────────┘
//! ```
//!
//! In: `speech` from a voice activity detector (optional: without it the recogniser's word times
//! stand in), `transcript` from a recogniser, `input` that was typed or pressed (optional). Out:
//! `turn`, the caller's finished turn, whose origin is the end of the caller's speech. It alone
//! holds the control of the call's turns.
//!
//! **Words.** Every word of every final transcript goes into exactly one turn. What the caller says
//! while it cannot begin a turn (the caller goes on speaking, or the agent must not be interrupted)
//! is kept, and joined to what follows. Where a turn had to begin with words that the recogniser
//! had not settled, the final that follows is compared with them: the words that it begins with in
//! common are answered already, and the rest is the caller going on, a new turn.
//!
//! **Interruptions.** At the first sign of speech the agent is held: the caller hears silence at
//! once, and an answer that is being prepared does not begin. Then speech that lasts, or words,
//! make it an interruption; otherwise the agent goes on where it stopped.
//!
//! **What is typed or pressed.** A message begins a turn at once, whatever the agent does; what was
//! said and not answered goes in front of it, and what of it the recogniser had not settled counts
//! as it is. Keys of the telephone are gathered until `#`, or `dtmf_timeout_ms` after the last, and
//! begin a turn that reads `[keypad: 123]` (the `#` left out): a prompt may say "digits that the
//! caller pressed come as [keypad: …]". A message brings the keys before it along. The button to
//! interrupt silences the agent and begins no turn. Where `allow_interruptions` is false, message
//! and keys wait for the end of the answer like words, and the button does nothing.

mod barge_in;
mod config;
mod dialogue;
mod end_of_turn;
mod keypad;
mod node;
#[cfg(test)]
mod tests;
mod voice;
mod words;

pub use config::{EndOfTurn, Options, Settings};
pub use node::TurnDetector;
