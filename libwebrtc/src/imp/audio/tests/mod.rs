//! The audio core as a whole: a sender, a network that misbehaves from a seed, a receiver.
//!
//! [`network`] carries anything, so that other tests can send through it. Times are arguments and
//! randomness comes from a seed, so each run is the same again; a failure prints `SEED=`.

pub(crate) mod call;
pub(crate) mod network;
mod opus;
mod quality;
mod source;
pub(crate) mod tone;
