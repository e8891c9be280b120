//! Agent workers under test: ours, with an answer that needs no room, and a server of our own that
//! follows a script, beside the real one.
//!
//! - `desk`: whoever carries out jobs here: it takes places, keeps books, and ends jobs on demand.
//! - `hired`: a worker at work.
//! - `fake`: a scripted server over a real socket.
//! - `dispatch`: the calls of a real server's API.

mod desk;
mod dispatch;
mod fake;
mod hired;

pub use desk::{Book, Desk};
pub use dispatch::Api;
pub use fake::{Fake, Visit};
pub use hired::{Hired, hire, keys, settings};
