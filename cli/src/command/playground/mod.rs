//! `voicegraph playground`: a page on which one talks to the agent, and all that it takes.
//!
//! ```text
//!   place   a livekit-server: one started here, or one that runs already
//!   agent   a worker of that server, with the pipeline and the simulators, in this process
//!   serve   the page, which joins a room of that server and calls the agent
//! ```

mod agent;
mod graph;
mod place;
mod serve;

pub(crate) use serve::run;
