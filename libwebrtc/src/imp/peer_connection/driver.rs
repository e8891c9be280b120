//! The task of a connection: it sends and receives, keeps the time, and calls the user.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::time::{Instant, sleep_until};

use super::Shared;
use super::ice::{Arrival, Network};
use super::notice;
use super::shared::now;

/// How many datagrams are taken in before what follows from them is sent and told.
const BATCH: usize = 32;

/// Starts the task. It ends when the connection is closed.
pub(super) fn start(shared: Arc<Shared>, runtime: &Handle) {
    runtime.spawn(run(shared));
}

async fn run(shared: Arc<Shared>) {
    let mut network = Network::default();
    loop {
        let work = shared.lock(|core| core.poll(now()));
        if let Some(wanted) = &work.gather {
            network.gather(wanted);
        }
        for datagram in &work.datagrams {
            network.send(datagram);
        }
        for notice in work.notices {
            notice::tell(&shared, notice);
        }
        if work.is_closed {
            break;
        }
        // Here, too: datagrams without a pause would leave no time for it below.
        network.advance();
        network.watch(work.is_silent);
        network.send_queries();
        for found in network.found() {
            shared.with(|core, now| core.on_found(now, found));
        }
        let deadline = network.deadline().map_or(work.deadline, |it| it.min(work.deadline));
        tokio::select! {
            biased;
            () = shared.wake.notified() => {}
            () = receive(&shared, &mut network) => {}
            () = sleep_until(Instant::from_std(deadline)) => {
                network.advance();
                shared.lock(|core| core.advance(now()));
            }
        }
    }
    network.close();
    finish(&shared);
}

/// Takes in the datagrams that are there, once there is one.
async fn receive(shared: &Shared, network: &mut Network) {
    let Some(mut arrival) = network.receive().await else { return };
    for taken in 1.. {
        let datagram = network.datagram(&arrival);
        let Arrival { protocol, from, local, .. } = arrival;
        shared.lock(|core| core.receive(now(), protocol, from, local, datagram));
        if taken == BATCH {
            return;
        }
        arrival = tokio::select! {
            biased;
            next = network.receive() => match next {
                Some(next) => next,
                None => return,
            },
            () = std::future::ready(()) => return,
        };
    }
}

/// Lets go of all that users have left here, which may hold the connection itself.
fn finish(shared: &Shared) {
    shared.callbacks.clear();
    for record in shared.lock(|core| core.take_records()) {
        record.clear();
    }
}
