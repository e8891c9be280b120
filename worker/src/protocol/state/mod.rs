//! The worker protocol as a pure machine: what came in and the time go in, what is to be done comes
//! out. No socket, no clock, no task.
//!
//! ```text
//!   connection   Down ──Opened──> Registering ──register──> Registered
//!                 ^                    │ too late                │ silent, lost, go away
//!                 └────────────────────┴─────────────────────────┘
//!
//!   job          offer ──place taken, yes──> Accepted ──assignment──> Running ──> told, forgotten
//!                  └──no──> (next worker)       └── too late, terminated, lost: place is free
//! ```
//!
//! A place (`P`) is a value that the machine holds while a job is accepted, and hands over with the
//! job's start. Whatever happens in between drops it, so no place can leak. Running jobs belong to
//! no connection.
//!
//! - [`machine`]: the inputs, the actions, and who handles what.
//! - [`jobs`]: offers, assignments, terminations, ends.
//! - [`line`]: one connection: registration, pings, status reports.
//! - [`messages`]: what is sent.

mod jobs;
mod line;
mod machine;
mod messages;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use machine::{Action, At, Fault, Input, Profile, State};
