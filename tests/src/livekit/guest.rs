//! A participant that is the official `livekit` crate on our `libwebrtc`, and whose events can be
//! waited for.

use std::future::Future;
use std::time::Duration;

use livekit::prelude::*;
use tokio::sync::mpsc::UnboundedReceiver;

use super::server::Server;
use super::token::token;

/// How long anything may take; 5 MB on a busy machine took 25 s. Only a failing test waits as
/// long.
pub const LIMIT: Duration = Duration::from_secs(60);

/// Waits for `done`.
///
/// # Panics
/// Where it does not come within [`LIMIT`]: the message says `what` was waited for.
pub async fn within<T>(what: &str, done: impl Future<Output = T>) -> T {
    let result = tokio::time::timeout(LIMIT, done).await;
    result.unwrap_or_else(|_| panic!("{what} did not come within {LIMIT:?}"))
}

/// A participant in a room.
#[derive(Debug)]
pub struct Guest {
    /// The room as it sees it.
    pub room: Room,
    /// What happens there. The crate chose a channel without a limit.
    pub events: UnboundedReceiver<RoomEvent>,
}

impl Guest {
    /// Joins `room` as `identity`, over one connection where the server can.
    ///
    /// # Panics
    /// Where it does not get in.
    pub async fn join(server: &Server, room: &str, identity: &str) -> Self {
        let mut options = RoomOptions::default();
        options.single_peer_connection = true;
        Self::join_with(server, room, identity, options).await
    }

    /// Joins as `options` say.
    ///
    /// # Panics
    /// Where it does not get in; what the server says stands in the message.
    pub async fn join_with(
        server: &Server,
        room: &str,
        identity: &str,
        options: RoomOptions,
    ) -> Self {
        let (url, token) = (server.url(), token(room, identity));
        let joined = within("joining", Room::connect(&url, &token, options)).await;
        let (room, events) =
            joined.unwrap_or_else(|error| panic!("{identity}: {error}\n{}", server.said()));
        Self { room, events }
    }

    /// The first event that `pick` takes; those before are passed over.
    ///
    /// # Panics
    /// Where it does not come: the message says `what` was waited for.
    pub async fn event<T>(&mut self, what: &str, pick: impl Fn(RoomEvent) -> Option<T>) -> T {
        within(what, async {
            loop {
                let event = self.events.recv().await.expect("the room is open");
                if let Some(picked) = pick(event) {
                    return picked;
                }
            }
        })
        .await
    }

    /// Waits until `identity` is there, so that what is sent reaches it.
    ///
    /// # Panics
    /// Where it does not come.
    pub async fn sees(&mut self, identity: &str) {
        let wanted = ParticipantIdentity::from(identity.to_owned());
        if self.room.remote_participants().contains_key(&wanted) {
            return;
        }
        let pick = |event| match event {
            RoomEvent::ParticipantConnected(it) if it.identity() == wanted => Some(()),
            _ => None,
        };
        self.event("the other guest", pick).await;
    }

    /// Sends data to all others.
    ///
    /// # Panics
    /// Where it is not taken.
    pub async fn send(&self, payload: Vec<u8>, reliable: bool) {
        let packet = DataPacket { payload, reliable, ..Default::default() };
        let participant = self.room.local_participant();
        within("sending", participant.publish_data(packet)).await.expect("data is sent");
    }

    /// The next data.
    ///
    /// # Panics
    /// Where none comes.
    pub async fn data(&mut self) -> (Vec<u8>, DataPacketKind) {
        let pick = |event| match event {
            RoomEvent::DataReceived { payload, kind, .. } => Some((payload.to_vec(), kind)),
            _ => None,
        };
        self.event("data", pick).await
    }

    /// Sets attributes of its own. The crate begins to wait for the server's answer after it has
    /// asked, and misses one that is quick: then this ends when it gives up, and others have seen
    /// the attributes all the same.
    pub async fn set_attributes(&self, attributes: &[(&str, &str)]) {
        let pairs =
            attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let _ = within("an answer", self.room.local_participant().set_attributes(pairs.collect()))
            .await;
    }

    /// Leaves.
    ///
    /// # Panics
    /// Where it cannot.
    pub async fn leave(&self) {
        within("leaving", self.room.close()).await.expect("the room is open");
    }
}
