//! A room as the transport of a call.
//!
//! ```text
//!   caller ── microphone ─> Microphone ─> RoomSource ─> graph ─> RoomSink ── roomio_audio ─>
//!          ── chat, keys, RPC ─> Watch ───────┘           └─> Told ─> Texts ── words, state ─>
//!          ── comes, goes ─────> Watch ─> Link ─> End
//!   server, worker ── the job is over ─> Orders ─┘
//! ```
//!
//! [`RoomCall::join`] joins the room of an assignment and waits for the caller;
//! [`RoomCall::run`] gives the engine a [`Transport`](voicegraph_engine::transport::Transport) and
//! carries the call to its [`End`]. The agent talks with one participant, the linked one; others
//! are not heard. Names on the wire are those of LiveKit's own agents.
//!
//! The crate mends the connection by itself. The graph does not notice: its caller is silent
//! meanwhile, and what the agent says is lost.

mod call;
mod caller;
mod clock;
mod end;
mod flow;
pub(crate) mod inputs;
mod joined;
mod link;
mod microphone;
mod orders;
mod playout;
mod reading;
pub(crate) mod recording;
mod settings;
mod sink;
mod source;
mod texts;
mod told;
mod transcript;
mod watch;

pub use call::RoomCall;
pub use caller::Caller;
pub use end::End;
pub use settings::Settings;
