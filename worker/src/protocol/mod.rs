//! The agent worker protocol: a connection to a LiveKit server that registers a worker, answers
//! offers of jobs, carries out those that are assigned, and tells what became of them.
//!
//! ```text
//!   server ──frames──> socket ──> worker ──inputs──> state (pure)
//!          <─────────────────────   │    <─actions──   │
//!                                   ├── Answer: who carries out jobs     └──> status, counts
//!                                   └── JoinSet: the jobs, over reconnects
//! ```
//!
//! - [`settings`]: where the server is, who the worker is, its limits.
//! - [`token`]: the worker's token, those of people, those for the API.
//! - [`state`]: the protocol as a pure machine.
//! - [`load`]: how busy the CPU is.
//! - [`worker`]: the shell that joins them.
//! - [`status`], [`counts`], [`http`]: what can be seen of it.
//!
//! # Conduct of servers
//!
//! Written for livekit-server 1.8.4 and 1.11.0, against which the tests run. The newer one differs
//! in three points:
//! - a worker whose load is at or above 0.7 (`agents.target_load`) is not asked, rather than 0.65;
//! - it adds the attribute `lk.agent_name` to the agent's participant by itself;
//! - an answer to an offer may say `terminate`, which ends the job without another worker being
//!   asked. This worker never says so.
//!
//! Beyond the reference, for both:
//! - the registration is answered before jobs can be dispatched to the worker; a ping is answered
//!   after ([`Status::ready`]);
//! - the end of a room terminates its job only because its agent is put out of it, so a job whose
//!   agent has not joined yet is told nothing: its joining must have a limit of its own;
//! - a job that the server has not booked yet, which takes up to 5 s, is told nothing either when
//!   its agent leaves or its room ends.
//!
//! Both ignore `deployment`, `ping_interval` and `MigrateJob`. Neither asks another worker when the
//! one that was asked says nothing within 10 s, so no answer is ever left out here.

pub mod counts;
pub mod http;
pub mod load;
pub mod settings;
pub(crate) mod socket;
pub mod state;
pub mod status;
pub mod token;
pub mod worker;

pub use counts::Counts;
pub use load::{Cpu, Load, Steady};
pub use settings::{Server, Settings, Timing};
pub use status::Status;
pub use token::Keys;
pub use worker::{Goodbye, Worker};
