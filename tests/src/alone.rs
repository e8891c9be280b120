//! A test that is alone in its process, and what that process holds.
//!
//! What a test holds can only be counted where no other holds things. So one test runs another of
//! the same program by itself; the other does nothing unless it is run so.

use std::process::Stdio;

use tokio::process::Command;
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::livekit::LIMIT;
use crate::poll::poll;
use crate::proc::Proc;

/// Says to a test that it is alone in its process.
const ALONE: &str = "VOICEGRAPH_ALONE";

/// What this process holds. The tasks are those of the test's own runtime, in which all runs.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    files: usize,
    threads: usize,
    tasks: usize,
}

/// Runs the test of that name alone.
///
/// # Panics
/// Where it fails, or does not end in three times [`LIMIT`].
pub async fn run(name: &str) {
    let mut test = Command::new(std::env::current_exe().expect("a running program has a path"));
    test.args(["--exact", name, "--nocapture"]).env(ALONE, "1").kill_on_drop(true);
    let output = timeout(3 * LIMIT, test.stdin(Stdio::null()).output()).await;
    let output = output.expect("it ends in time").expect("it is this program");
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

/// Whether this test was started by [`run`].
pub fn is_alone() -> bool {
    #[expect(clippy::disallowed_methods, reason = "the test that runs this one tells it so")]
    std::env::var_os(ALONE).is_some()
}

impl Held {
    /// What is held now.
    ///
    /// # Panics
    /// Where the kernel does not tell.
    pub fn now() -> Self {
        let own = Proc::own();
        Self {
            files: own.descriptors().expect("Linux tells"),
            threads: own.threads().expect("Linux tells"),
            tasks: Handle::current().metrics().num_alive_tasks(),
        }
    }

    /// Waits until no more than this is held. Nothing tells when the last task ends, so it is
    /// looked at.
    ///
    /// # Panics
    /// Where that takes longer than [`LIMIT`].
    pub async fn settle(self) {
        let settled = poll(LIMIT, async || Self::now().is_within(self).then_some(())).await;
        assert!(settled.is_some(), "before: {self:?}, {LIMIT:?} after: {:?}", Self::now());
    }

    fn is_within(self, other: Self) -> bool {
        self.files <= other.files && self.threads <= other.threads && self.tasks <= other.tasks
    }
}
