//! A room that was joined: it is left whatever becomes of the call.
//!
//! The crate's tasks and sockets live until a room is closed, and a future that is dropped cannot
//! wait for that. So joining and leaving are tasks of their own, each with a limit: who gives up
//! waiting for one leaves nothing behind.

use std::time::Duration;

use livekit::{Room, RoomEvent, RoomOptions, RoomResult};
use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::Instrument as _;

use super::orders::Orders;
use super::{End, Settings};
use crate::job::Assignment;

/// A room that is left when this is dropped.
pub(super) struct Joined {
    room: Option<Room>,
    leave_limit: Duration,
}

impl Joined {
    /// Joins the room of `assignment`, over one connection where the server can, and asks for
    /// nobody's track yet.
    pub(super) async fn join(
        assignment: &Assignment,
        settings: &Settings,
    ) -> Result<(Self, UnboundedReceiver<RoomEvent>), End> {
        let (url, token) = (assignment.url.clone(), assignment.token.clone());
        let (limit, leave_limit) = (settings.join_limit, settings.leave_limit);
        let joining = async move {
            let (room, events) = connect(&url, &token).await?;
            RoomResult::Ok((Self { room: Some(room), leave_limit }, events))
        };
        let (joining, orders) = (tokio::spawn(joining.in_current_span()), Orders::of(assignment));
        let joined = tokio::select! {
            biased;
            end = orders.end() => return Err(end),
            joined = timeout(limit, joining) => joined,
        };
        let late = |_| End::NotJoined(format!("not done within {} s", limit.as_secs()));
        let joined = joined.map_err(late)?.map_err(|error| End::NotJoined(error.to_string()))?;
        joined.map_err(|error| End::NotJoined(error.to_string()))
    }

    /// The room.
    pub(super) fn room(&self) -> &Room {
        self.room.as_ref().expect("it is taken only where this is given up")
    }

    /// Leaves, and says why.
    pub(super) async fn leave(mut self, end: End) -> End {
        if let Some(closing) = self.close()
            && let Err(error) = closing.await
        {
            tracing::error!(%error, "room was not closed");
        }
        tracing::info!(end = end.name(), reason = %end, "left the room");
        end
    }

    /// Begins to close the room.
    fn close(&mut self) -> Option<JoinHandle<()>> {
        let (room, limit) = (self.room.take()?, self.leave_limit);
        let closing = async move { close(room.close(), limit).await };
        // Where there is no runtime any more, the process ends.
        let runtime = Handle::try_current().ok()?;
        Some(runtime.spawn(closing.in_current_span()))
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        drop(self.close());
    }
}

/// Waits for a room to close, but no longer than `limit`.
async fn close(closing: impl Future<Output = RoomResult<()>>, limit: Duration) {
    match timeout(limit, closing).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "room was closed already"),
        Err(_) => tracing::warn!(?limit, "room did not close in time"),
    }
}

async fn connect(url: &str, token: &str) -> RoomResult<(Room, UnboundedReceiver<RoomEvent>)> {
    let mut options = RoomOptions::default();
    options.single_peer_connection = true;
    options.auto_subscribe = false;
    Room::connect(url, token, options).await
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_room_that_does_not_close_is_left_all_the_same() {
        let (start, limit) = (Instant::now(), Duration::from_secs(10));
        let closed = timeout(2 * limit, close(pending(), limit)).await;
        assert_eq!((closed, start.elapsed().as_secs()), (Ok(()), limit.as_secs()));
    }
}
