//! The playground: a page on which one talks to an agent in a LiveKit room.
//!
//! ```text
//!   browser ── / and /assets ───────> page    the bundle of `playground/dist`, compiled in
//!           ── /api/config ─────────> routes  where the room is, whom to call
//!           ── /api/token ──────────> routes  a place in a fresh room; joining calls the agent
//!           ── /edges, /turns, …   ─> the engine's own routes, where the agent runs here
//!           ── LiveKit ─────────────> the room server, which the page's policy names
//! ```
//!
//! Everything passes [`guard`](Own) first: this machine's own page may ask, and nobody else. A
//! library of its own, so that the browser's test serves the very page.

mod guard;
mod local_server;
mod page;
mod policy;
mod random;
mod routes;
#[cfg(test)]
mod tests;
pub mod token;

pub use guard::{Own, bind};
pub use local_server::{LocalServer, LocalServerError};
pub use policy::{Policy, UrlError};
pub use routes::{Entry, Playground, router};
