//! The way of a call to simulators in its own runtime: the addresses `sim://deepgram`,
//! `sim://openai/v1` and `sim://cartesia`.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::task::JoinSet;
use voicegraph_engine::connect::{Dial, Io};

use crate::Simulators;

/// The hosts of `sim://` addresses. All three providers answer at each, as on one TCP port.
pub const HOSTS: [&str; 3] = ["deepgram", "openai", "cartesia"];

/// Bytes that one direction of a connection holds before its writer waits: a socket's usual buffer.
const PIPE_BYTES: usize = 64 * 1024;

impl Simulators {
    /// What an engine's connector needs to reach these simulators. Their connections end with it.
    pub fn in_process(&self) -> BTreeMap<String, Arc<dyn Dial>> {
        let door: Arc<dyn Dial> =
            Arc::new(InProcess { simulators: self.clone(), connections: Mutex::default() });
        HOSTS.iter().map(|host| ((*host).to_owned(), Arc::clone(&door))).collect()
    }
}

/// Serves each stream that is opened, as a task of the runtime that opens it.
struct InProcess {
    simulators: Simulators,
    connections: Mutex<JoinSet<()>>,
}

#[async_trait]
impl Dial for InProcess {
    async fn dial(&self) -> io::Result<Box<dyn Io>> {
        let (near, far) = tokio::io::duplex(PIPE_BYTES);
        let simulators = self.simulators.clone();
        let mut connections = self.connections.lock().expect("no panic holds this lock");
        while connections.try_join_next().is_some() {}
        connections.spawn(async move { simulators.serve(far).await });
        Ok(Box::new(near))
    }
}
