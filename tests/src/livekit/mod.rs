//! A real livekit-server, built once and started on ports of its own, and guests of its rooms.

mod build;
mod guest;
mod server;
mod token;
mod voice;

pub use guest::{Guest, LIMIT, within};
pub use server::{Server, Setup, Version};
pub use token::{KEY, SECRET, agent_token, token};
pub use voice::{Voice, record};
