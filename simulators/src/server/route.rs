//! Which provider a request is for, by its path.

use std::sync::{Arc, Mutex, PoisonError};

use http::Request;
use hyper::body::Incoming;

use super::{Pace, Refused, Reply, Upgrade, World};
use crate::{cartesia, deepgram, openai};

/// One connection's entrance: answers its requests and keeps the upgrade that one may lead to.
pub(super) struct Door {
    world: Arc<World>,
    pace: Pace,
    upgrade: Mutex<Option<Upgrade>>,
}

/// What a provider makes of a request.
pub(crate) enum Answer {
    /// An answer; the connection goes on.
    Reply(Reply),
    /// A 101, after which the connection is a websocket.
    Upgrade(Reply, Upgrade),
}

impl Door {
    /// A connection's entrance to `world`, which writes at `pace`.
    pub(super) fn new(world: Arc<World>, pace: Pace) -> Self {
        Self { world, pace, upgrade: Mutex::new(None) }
    }

    /// Answers one request, or refuses to.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Result<Reply, Refused> {
        let pace = |slowness| self.pace.set(slowness);
        let answer = match request.uri().path() {
            "/v1/listen" => deepgram::answer(&self.world, request, pace)?,
            "/tts/websocket" => cartesia::answer_websocket(&self.world, request, pace)?,
            "/tts/bytes" | "/tts/sse" => {
                Answer::Reply(cartesia::answer_http(&self.world, request, pace).await?)
            }
            _ => Answer::Reply(openai::answer(&self.world, request, pace).await?),
        };
        Ok(match answer {
            Answer::Reply(reply) => reply,
            Answer::Upgrade(reply, upgrade) => {
                *self.upgrade.lock().unwrap_or_else(PoisonError::into_inner) = Some(upgrade);
                reply
            }
        })
    }

    /// The websocket that this connection has become, if it has.
    pub(super) fn upgrade(&self) -> Option<Upgrade> {
        self.upgrade.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
