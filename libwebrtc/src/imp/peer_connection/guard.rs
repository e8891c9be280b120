//! What holds where str0m panics on what a peer sent.
//!
//! Each datagram and each description of a peer goes through str0m's parsers and state machines. To
//! look at all of it beforehand would take a second parser of every protocol, and what lies inside
//! of DTLS is not to be seen from here at all. So a panic is caught where such bytes are handed
//! in. What it left behind is unknown: str0m's state is thrown away whole, one that does nothing
//! takes its place, and the connection has failed, for which its user connects anew. The process,
//! the task of the connection and all other connections go on.

use std::panic::{AssertUnwindSafe, catch_unwind};

use str0m::{Rtc, RtcConfig};
use thiserror::Error;
use tracing::error;

use super::core::Core;
use crate::peer_connection::PeerConnectionState;

/// str0m panicked; the connection is over.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("str0m panicked while {0}")]
pub(super) struct Panicked(pub(super) &'static str);

impl Core {
    /// Has str0m take what came from outside. `what` it does goes on from "while".
    pub(super) fn guarded<T>(
        &mut self,
        what: &'static str,
        take: impl FnOnce(&mut Rtc) -> T,
    ) -> Result<T, Panicked> {
        // Nothing of what may be half done is looked at again.
        let taken = catch_unwind(AssertUnwindSafe(|| take(&mut self.rtc)));
        taken.map_err(|_| {
            error!(what, "str0m panicked: the connection has failed");
            self.abandon();
            Panicked(what)
        })
    }

    /// Goes on without what str0m knew.
    fn abandon(&mut self) {
        // Any time will do for one that never runs.
        let mut idle = RtcConfig::new().build(self.deadline());
        idle.disconnect();
        self.rtc = idle;
        self.close_all_channels();
        self.transceivers.end();
        self.negotiation.close();
        self.set_connection(PeerConnectionState::Failed);
    }
}

#[cfg(test)]
mod tests {
    use super::super::shared::now;
    use super::*;
    use crate::data_channel::{DataChannelInit, DataChannelState};
    use crate::peer_connection::{OfferOptions, SignalingState};

    #[test]
    fn a_panic_ends_the_connection_and_nothing_else() {
        let mut core = Core::new(true, std::sync::Arc::default(), now());
        let record = core.create_channel("a", &DataChannelInit::default()).unwrap();
        let told = core.guarded::<()>("taking a datagram", |_| panic!("on purpose"));
        assert_eq!(told, Err(Panicked("taking a datagram")));
        assert_eq!(core.connection, PeerConnectionState::Failed);
        assert_eq!(core.negotiation.state, SignalingState::Closed);
        assert_eq!(record.state(), DataChannelState::Closed);
        assert!(core.create_offer(&OfferOptions::default()).is_err());
        core.advance(now());
        core.close(now());
        assert!(core.is_closed() && core.take_records().len() == 1);
    }
}
