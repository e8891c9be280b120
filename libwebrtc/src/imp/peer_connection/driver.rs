//! The task of a connection: it sends and receives, keeps the time, and calls the user.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::time::{Instant, sleep_until};

use super::Shared;
use super::notice;
use super::shared::now;
use super::sockets::Sockets;

/// How many datagrams are taken in before what follows from them is sent and told.
const BATCH: usize = 32;

/// Starts the task. It ends when the connection is closed.
pub(super) fn start(shared: Arc<Shared>, runtime: &Handle) {
    runtime.spawn(run(shared));
}

async fn run(shared: Arc<Shared>) {
    let mut sockets = Sockets::default();
    loop {
        // Before the work is taken: a datagram never waits for a socket that is not here yet.
        for socket in shared.fresh.lock().drain(..) {
            sockets.add(socket);
        }
        let work = shared.look(|core| core.take(now()));
        for datagram in &work.datagrams {
            sockets.send(datagram);
        }
        for notice in work.notices {
            notice::tell(&shared, notice);
        }
        if work.is_closed {
            break;
        }
        tokio::select! {
            biased;
            () = shared.wake.notified() => {}
            () = receive(&shared, &mut sockets) => {}
            () = sleep_until(Instant::from_std(work.deadline)) => {
                shared.look(|core| core.advance(now()));
            }
        }
    }
    finish(&shared);
}

/// Takes in the datagrams that are there, once there is one.
async fn receive(shared: &Shared, sockets: &mut Sockets) {
    let mut arrival = sockets.receive().await;
    for taken in 1.. {
        let datagram = sockets.datagram(&arrival);
        shared.look(|core| core.receive(now(), arrival.from, arrival.local, datagram));
        if taken == BATCH {
            return;
        }
        arrival = tokio::select! {
            biased;
            next = sockets.receive() => next,
            () = std::future::ready(()) => return,
        };
    }
}

/// Lets go of all that users have left here, which may hold the connection itself.
fn finish(shared: &Shared) {
    shared.callbacks.clear();
    for record in shared.look(|core| core.take_records()) {
        record.clear();
    }
}
