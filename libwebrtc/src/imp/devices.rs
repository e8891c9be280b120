//! What a factory keeps of the machine's sound devices: whether the program would allow their use.
//! There is no device in this build, so nothing follows from it.

use std::sync::atomic::{AtomicBool, Ordering};

/// The two switches; both are off at first.
#[derive(Debug, Default)]
pub(crate) struct Devices {
    pub(crate) recording: Switch,
    pub(crate) playout: Switch,
}

/// A switch that several may turn.
#[derive(Debug, Default)]
pub(crate) struct Switch(AtomicBool);

impl Switch {
    pub(crate) fn set(&self, on: bool) {
        self.0.store(on, Ordering::Relaxed);
    }

    pub(crate) fn is_on(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
