//! The agent worker, from its protocol to the whole program.
//!
//! - `protocol`: offers, jobs and their ends, on real livekit-servers (`jobs`, `room`, `ends`,
//!   `spread` over several workers), against a scripted one (`faults`), and what `http` tells.
//! - Rooms as the transport of calls, with the agent's end in the test's hands (`room_stage`):
//!   sound (`room`), what the caller does beside speaking (`room_inputs`), what the room is told
//!   (`texts`), how calls end (`ends`), a server that is `mute`, and a pipeline in one
//!   (`room_clinic`).
//! - `calls`: `voicegraph worker` as it is started on a machine, in calls that go as they should:
//!   `dispatched` each way, `spoken`, `interrupted`, `booked`, `ended`, `beside_python`'s workers.
//! - `trouble`: the same program where something breaks: `burst`, `caller_returns`,
//!   `database_down`, `drained`, `packets_lost`, `providers_down`, `server_lost`, `udp_blocked`,
//!   `worker_killed`.
//! - What several of them use: a real server and the test's name (`site`), the clinic's words and
//!   scripts (`clinic`), rows of its database (`call_records`).

#![expect(clippy::unwrap_used, reason = "a test ends where anything fails")]

mod call_records;
mod calls;
mod clinic;
mod ends;
mod mute;
mod protocol;
mod room;
mod room_clinic;
mod room_inputs;
mod room_stage;
mod site;
mod texts;
mod trouble;
