//! `voicegraph simulate` as a process of its own, on a free port.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::workspace;

/// How long it may take from its start to the line that says where it listens.
const START_LIMIT: Duration = Duration::from_secs(10);

/// The running simulators. Dropping them kills the process.
pub struct Simulate {
    /// The providers' base URLs, as the JSON object that the process printed.
    pub bases: String,
    process: Child,
}

impl Simulate {
    /// Starts the simulators that behave as `script` says.
    ///
    /// # Panics
    /// Where the program does not build, or does not say in time where it listens.
    pub async fn start(script: &Path) -> Self {
        let mut process = Command::new(workspace::voicegraph())
            .args(["simulate", "--listen", "127.0.0.1:0", "--script"])
            .arg(script)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the program was just built");
        let stdout = process.stdout.take().expect("stdout is a pipe");
        let mut lines = BufReader::new(stdout).lines();
        let first = timeout(START_LIMIT, lines.next_line()).await;
        let first = first.expect("it says in time where it listens").expect("its output is text");
        Self { bases: first.expect("it says where it listens before it ends"), process }
    }

    /// Kills the process and waits for its end.
    ///
    /// # Panics
    /// Where it had ended before.
    pub async fn stop(mut self) {
        let ended = self.process.try_wait().expect("a child can be asked");
        assert_eq!(ended, None, "the simulators ended by themselves");
        self.process.kill().await.expect("a running child can be killed");
    }
}
