//! `voicegraph worker` as it is started on a machine: calls from their dispatch to their end, on
//! real servers, with the official SDK as the caller and simulated providers.

mod beside_python;
mod booked;
mod dispatched;
mod ended;
mod interrupted;
mod seen;
mod spoken;
