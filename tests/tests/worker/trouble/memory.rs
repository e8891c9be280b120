//! What a worker's process holds, as Linux tells, before trouble and after.

use std::fmt;
use std::fs;

use tokio::time::{interval, timeout};
use voicegraph_tests::livekit::LIMIT;
use voicegraph_tests::workspace::say;

use super::process::{STEP, Worker};

/// What memory may grow by: an allocator keeps some of what it had at the most. 1 MiB is seen.
const GROWTH_MIB: usize = 8;

/// What a process holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    files: usize,
    threads: usize,
    memory_mib: usize,
}

impl Held {
    /// What the worker holds once all its calls are over.
    pub(super) async fn by(worker: &Worker) -> Self {
        worker.until_empty().await;
        Self::now(worker.id)
    }

    /// Waits until all calls are over, and the worker holds no more than before.
    pub(super) async fn again(self, worker: &Worker, trouble: &str) {
        worker.until_empty().await;
        let mut now = Self::now(worker.id);
        let settling = async {
            let mut steps = interval(STEP);
            while !now.is_within(self) {
                steps.tick().await;
                now = Self::now(worker.id);
            }
        };
        let settled = timeout(LIMIT, settling).await;
        say(&format!("{trouble}: before {self}; after {now}\n"));
        assert!(settled.is_ok(), "{trouble}: before {self}; {LIMIT:?} after {now}");
    }

    fn now(id: u32) -> Self {
        let count = |folder: &str| fs::read_dir(format!("/proc/{id}/{folder}")).unwrap().count();
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = memory.and_then(|rest| rest.trim().split(' ').next()?.parse::<usize>().ok());
        Self { files: count("fd"), threads: count("task"), memory_mib: kib.unwrap() / 1_024 }
    }

    fn is_within(self, before: Self) -> bool {
        self.files <= before.files
            && self.threads <= before.threads
            && self.memory_mib <= before.memory_mib + GROWTH_MIB
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { files, threads, memory_mib } = self;
        write!(f, "{files} descriptors, {threads} threads, {memory_mib} MiB")
    }
}
