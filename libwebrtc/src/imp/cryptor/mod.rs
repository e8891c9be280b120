//! End-to-end encryption: the keys of a room, its data packets, and frames of its media.

mod frame;
mod keys;
mod packet;

pub(crate) use frame::{FrameCipher, Passed};
pub(crate) use keys::Keys;
pub(crate) use packet::{open, seal};
