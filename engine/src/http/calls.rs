//! Answers websocket calls with the runtime.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;

use crate::runtime::Runtime;
use crate::session::CallEnd;
use crate::transport::Transport;
use crate::transport::websocket::{Answer, Busy, End, Place};
use crate::variables::Variables;

/// When a client that found no place may try again: calls last minutes, and another process may be
/// free.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// The runtime, as the websocket transport sees it.
pub struct Calls {
    /// Who runs the calls.
    pub runtime: Arc<Runtime>,
    /// What each call is given.
    pub variables: Variables,
}

impl Answer for Calls {
    fn admit(&self) -> Result<Place, Busy> {
        let permit = self
            .runtime
            .admit()
            .map_err(|refused| Busy { reason: refused.to_string(), retry_after: RETRY_AFTER })?;
        let (runtime, variables) = (Arc::clone(&self.runtime), self.variables.clone());
        Ok(Box::new(move |transport| {
            let transport = Transport { variables, ..transport };
            async move { end(&runtime.call(permit, transport, Vec::new()).await) }.boxed()
        }))
    }
}

fn end(call: &CallEnd) -> End {
    let CallEnd { session_id, reason, .. } = call;
    let message = (!reason.is_ok()).then(|| reason.to_string());
    End { reason: reason.name().to_owned(), message, session: session_id.to_string() }
}
