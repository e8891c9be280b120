//! All ways to a server: from our addresses over UDP and TCP, by those that servers see, by relays.

mod gathering;
mod rooms;
