//! The server side of every wire: one HTTP/1.1 connection at a time over anything that reads and
//! writes, routed by path, upgraded to a websocket where asked. What is said on it is left to the
//! provider modules.

mod accept;
mod pace;
mod reply;
mod route;
mod socket;
mod stream;
mod world;

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::script::Script;
pub(crate) use accept::{Handshake, Upgrade};
use pace::{Pace, Paced};
pub(crate) use reply::{Body, Cut, Refused, Reply, json, request_id, text};
pub(crate) use route::Answer;
use route::Door;
pub(crate) use socket::{Outgoing, Peer};
pub(crate) use stream::{Part, stream};
pub(crate) use world::{World, credential, valid};

/// A connection that sends no request for this long is closed.
const IDLE_LIMIT: Duration = Duration::from_secs(300);
/// Connections served at once by [`Simulators::listen`]; the next waits in the kernel's queue.
const CONNECTION_LIMIT: usize = 4_096;
/// After an accept failed (no file descriptor left), the next is tried this much later.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// All three providers, with what they share between connections: how far each call's utterances
/// have come, how many connections there were, and the log. A clone is the same simulators.
#[derive(Debug, Clone)]
pub struct Simulators {
    world: Arc<World>,
}

impl Simulators {
    /// Simulators that behave as `script` says.
    pub fn new(script: Script) -> Self {
        Self { world: Arc::new(World::new(script)) }
    }

    /// Writes a JSON line to `sink` for each message received or sent: `at_us` (µs since the first
    /// line), `provider`, `connection`, `id`, `direction` (`in` or `out`), `what`, `bytes`. Forgets
    /// what was shared so far.
    #[must_use]
    pub fn with_log(self, sink: impl Write + Send + 'static) -> Self {
        Self { world: Arc::new(World::new(self.world.script.clone()).with_log(sink)) }
    }

    /// Serves one connection until it ends. All work is done in this future: dropping it drops the
    /// connection, and nothing outlives it.
    pub async fn serve<Io>(&self, io: Io)
    where
        Io: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let pace = Pace::default();
        let door = Arc::new(Door::new(self.world.clone(), pace.clone()));
        let service = service_fn(|request| {
            let door = door.clone();
            async move { door.answer(request).await }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(IDLE_LIMIT)
            .serve_connection(TokioIo::new(Paced::new(io, pace)), service)
            .with_upgrades();
        if let Err(error) = connection.await {
            tracing::debug!(%error, "connection ended early");
        }
        if let Some(upgrade) = door.upgrade() {
            upgrade.run().await;
        }
    }

    /// Serves each connection of `listener` until `stop`, which drops those that are open.
    pub async fn listen(&self, listener: TcpListener, stop: CancellationToken) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                Some(_) = connections.join_next(), if !connections.is_empty() => {}
                accepted = listener.accept(), if connections.len() < CONNECTION_LIMIT => {
                    let Ok((socket, _)) = accepted else {
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                        continue;
                    };
                    if let Err(error) = socket.set_nodelay(true) {
                        tracing::debug!(%error, "no TCP_NODELAY");
                    }
                    let simulators = self.clone();
                    connections.spawn(async move { simulators.serve(socket).await });
                }
            }
        }
    }
}
