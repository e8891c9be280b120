//! What a worker's process holds, as Linux tells, before trouble and after: memory, files, threads.

use std::fmt;

use voicegraph_tests::livekit::LIMIT;
use voicegraph_tests::poll::poll;
use voicegraph_tests::proc::Held;
use voicegraph_tests::worker::Worker;
use voicegraph_tests::workspace::say;

/// What memory may grow by: an allocator keeps some of what it had at the most. 1 MiB is seen.
const GROWTH_BYTES: u64 = 8 << 20;

/// What a worker holds while it has no calls.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory(Held);

impl Memory {
    /// What it holds once all its calls are over.
    pub(super) async fn of(worker: &Worker) -> Self {
        worker.until_empty().await;
        Self::now(worker)
    }

    /// Waits until all calls are over, and the worker holds no more than before.
    pub(super) async fn again(self, worker: &Worker, trouble: &str) {
        worker.until_empty().await;
        let mut now = Self::now(worker);
        let settled = poll(LIMIT, async || {
            now = Self::now(worker);
            now.is_within(self).then_some(())
        });
        let settled = settled.await;
        say(&format!("{trouble}: before {self}; after {now}\n"));
        assert!(settled.is_some(), "{trouble}: before {self}; {LIMIT:?} after {now}");
    }

    fn now(worker: &Worker) -> Self {
        Self(worker.process.proc().held().unwrap())
    }

    fn is_within(self, Self(before): Self) -> bool {
        self.0.descriptors <= before.descriptors
            && self.0.threads <= before.threads
            && self.0.resident_bytes <= before.resident_bytes + GROWTH_BYTES
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Held { resident_bytes, descriptors, threads } = self.0;
        let mib = resident_bytes >> 20;
        write!(f, "{descriptors} descriptors, {threads} threads, {mib} MiB")
    }
}
