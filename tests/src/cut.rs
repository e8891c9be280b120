//! A way through TCP that can be cut, for connections that are lost in the middle of something.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// A way to a port of this machine.
pub struct Way {
    port: u16,
    cuts: watch::Sender<u32>,
    task: JoinHandle<()>,
}

impl Way {
    /// Opens a way to `port`, over as many connections as come.
    ///
    /// # Panics
    /// Where this machine has no free port.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let own = listener.local_addr().expect("it listens").port();
        let (cuts, seen) = watch::channel(0);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                let mut seen = seen.clone();
                seen.mark_unchanged();
                connections.spawn(async move {
                    tokio::select! {
                        biased;
                        _ = seen.changed() => {}
                        () = carry(near, port) => {}
                    }
                });
            }
        });
        Self { port: own, cuts, task }
    }

    /// The port to connect to instead.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Closes every connection that is open; later ones are carried.
    pub fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(mut near: TcpStream, port: u16) {
    let there = SocketAddr::from(([127, 0, 0, 1], port));
    if let Ok(mut far) = TcpStream::connect(there).await {
        // However it ends, both ends see it.
        let _ = copy_bidirectional(&mut near, &mut far).await;
    }
}
