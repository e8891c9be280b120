//! A transceiver as its users hold it: a key, and the connection that it belongs to.

use std::sync::Arc;

use super::super::Shared;
use super::transceivers::Transceiver;
use crate::stats::RtcStats;

/// Which transceiver of a connection, from 0, in the order of adding. None is ever taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(pub(super) usize);

/// A transceiver of a connection.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) shared: Arc<Shared>,
    pub(crate) key: Key,
}

impl Member {
    /// Has `read` see it.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&Transceiver) -> T) -> T {
        self.shared.lock(|core| read(core.transceivers.get(self.key)))
    }

    /// Changes what the next offer says of it.
    pub(crate) fn write(&self, change: impl FnOnce(&mut Transceiver)) {
        self.shared.lock(|core| {
            change(core.transceivers.get_mut(self.key));
            core.transceivers.set_changed();
        });
        self.shared.wake.notify_one();
    }

    pub(crate) fn sent_stats(&self) -> Vec<RtcStats> {
        self.read(super::stats::sent)
    }

    pub(crate) fn received_stats(&self) -> Vec<RtcStats> {
        self.read(super::stats::received)
    }
}
