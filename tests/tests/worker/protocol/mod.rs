//! The agent worker protocol: against real livekit-servers, and against a scripted one.

mod ends;
mod faults;
mod http;
mod jobs;
mod room;
mod spread;
