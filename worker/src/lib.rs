//! LiveKit, on both of its sides: the protocol by which a server hands out jobs, and rooms in which
//! a call takes place.
//!
//! ```text
//!   livekit-server ── register, availability, assignment ──> protocol ──> Answer
//!                  ── sound, text, attributes, data ───────> room ──────> Transport of the engine
//! ```
//!
//! - [`job`]: what the two sides have in common: an offered job, its acceptance, its end.
//! - [`protocol`]: the agent worker: a connection that registers, offers jobs to an
//!   [`Answer`](job::Answer), and tells the server what became of them.
//! - [`agent`]: an [`Answer`](job::Answer) that carries out jobs as calls of the pipelines.
//! - [`room`]: joins the room of a job and makes an engine's transport of it.
//! - [`decode`]: the readers of what comes from outside, for fuzzing.

pub mod agent;
pub mod decode;
pub mod job;
pub mod protocol;
pub mod room;
