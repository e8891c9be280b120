//! CPU used by the container, or by the machine where there is none.
//!
//! ```text
//!   /sys/fs/cgroup/cpu.stat (v2)          used time   ÷ (elapsed · CPUs by quota)
//!   /sys/fs/cgroup/cpuacct/… (v1)         used time   ÷ (elapsed · CPUs by quota, or 2)
//!   /proc/stat                            busy ticks  ÷ all ticks
//! ```
//!
//! The same files and rules as LiveKit's Python worker (livekit-agents 1.8.9, `utils/hw/cpu.py`).

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

use super::Load;

/// What a container gets by v1 where its quota is not set: the machine's number would overstate it.
const V1_CPUS: f64 = 2.0;

/// The two clocks, of the counters and ours, are read one after the other.
const SLACK: f64 = 1.1;

/// Reads how busy the CPU is.
#[derive(Debug)]
pub struct Cpu {
    root: PathBuf,
    source: Source,
    /// How many CPUs there are for this process.
    cpus: f64,
    /// How many the machine has: more cannot have been used.
    machine: f64,
    last: Option<Reading>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    V2,
    V1,
    Machine,
}

/// A look at the counters.
#[derive(Clone, Copy, Debug)]
struct Reading {
    at: Instant,
    used: Used,
}

#[derive(Clone, Copy, Debug)]
enum Used {
    /// Time of CPU, in s.
    Time(f64),
    /// Ticks, busy and in all.
    Ticks { busy: u64, all: u64 },
}

impl Cpu {
    /// Reads this machine. `num_cpus` (`NUM_CPUS`) is how many CPUs the process may use, where its
    /// container does not say or says wrong.
    pub fn new(num_cpus: Option<f64>) -> Self {
        Self::within(Path::new("/"), num_cpus, processors() as f64)
    }

    /// The same with files below `root`, on a machine with so many CPUs.
    fn within(root: &Path, num_cpus: Option<f64>, machine: f64) -> Self {
        let root = root.to_path_buf();
        let exists = |path: &str| root.join(path).exists();
        let source = if exists("sys/fs/cgroup/cpu.stat") {
            Source::V2
        } else if exists("sys/fs/cgroup/cpuacct/cpuacct.usage") {
            Source::V1
        } else {
            Source::Machine
        };
        let mut cpu = Self { root, source, cpus: machine, machine, last: None };
        let given = num_cpus.filter(|cpus| cpus.is_finite() && *cpus > 0.0);
        cpu.cpus = given.unwrap_or_else(|| cpu.quota());
        cpu
    }

    /// How many CPUs the process may use.
    pub fn cpus(&self) -> f64 {
        self.cpus
    }

    fn quota(&self) -> f64 {
        match self.source {
            Source::V2 => self.quota_v2().unwrap_or(self.machine),
            Source::V1 => self.quota_v1().unwrap_or(V1_CPUS),
            Source::Machine => self.machine,
        }
    }

    /// `max 100000`, or `50000 100000` for half a CPU.
    fn quota_v2(&self) -> Option<f64> {
        let text = self.read("sys/fs/cgroup/cpu.max")?;
        let mut words = text.split_whitespace();
        let quota: f64 = words.next()?.parse().ok()?;
        let period: f64 = words.next().map_or(Some(100_000.0), |word| word.parse().ok())?;
        (quota > 0.0 && period > 0.0).then(|| quota / period)
    }

    fn quota_v1(&self) -> Option<f64> {
        let number = |name: &str| self.read(name)?.trim().parse::<f64>().ok();
        let quota = number("sys/fs/cgroup/cpu/cpu.cfs_quota_us")?;
        let period = number("sys/fs/cgroup/cpu/cpu.cfs_period_us")?;
        (quota > 0.0 && period > 0.0).then(|| (quota / period).max(1.0))
    }

    fn used(&self) -> Option<Used> {
        match self.source {
            Source::V2 => {
                let text = self.read("sys/fs/cgroup/cpu.stat")?;
                let us = text.lines().find_map(|line| line.strip_prefix("usage_usec "))?;
                Some(Used::Time(us.trim().parse::<f64>().ok()? / 1e6))
            }
            Source::V1 => {
                let ns = self.read("sys/fs/cgroup/cpuacct/cpuacct.usage")?;
                Some(Used::Time(ns.trim().parse::<f64>().ok()? / 1e9))
            }
            Source::Machine => ticks(&self.read("proc/stat")?),
        }
    }

    fn read(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.root.join(path)).ok()
    }

    /// The load between two readings; `None` where the counters cannot be right, as some machines
    /// show for a moment.
    fn between(&self, first: Used, second: Used, elapsed: Duration) -> Option<f32> {
        let elapsed = elapsed.as_secs_f64();
        let used = match (first, second) {
            (Used::Time(first), Used::Time(second)) => second - first,
            (Used::Ticks { busy, all }, Used::Ticks { busy: busy_2, all: all_2 }) => {
                let (busy, all) = (busy_2.checked_sub(busy)?, all_2.checked_sub(all)?);
                busy as f64 / all.max(1) as f64 * elapsed * self.machine
            }
            _ => return None,
        };
        let most = elapsed * self.machine * SLACK;
        let possible = elapsed > 0.0 && (0.0..=most).contains(&used);
        possible.then(|| (used / (elapsed * self.cpus)).min(1.0) as f32)
    }
}

impl Load for Cpu {
    fn sample(&mut self, now: Instant) -> Option<f32> {
        let used = self.used()?;
        let last = self.last.replace(Reading { at: now, used })?;
        self.between(last.used, used, now.duration_since(last.at))
    }
}

/// How many CPUs the machine has, whatever part of them is ours.
fn processors() -> usize {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let lines = stat.lines().filter(|line| line.starts_with("cpu") && !line.starts_with("cpu "));
    match lines.count() {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        count => count,
    }
}

/// `cpu  user nice system idle iowait irq softirq steal …`, all in ticks.
fn ticks(stat: &str) -> Option<Used> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let numbers: Vec<u64> =
        line.split_whitespace().take(8).map(|word| word.parse().unwrap_or(0)).collect();
    let idle: u64 = numbers.iter().skip(3).take(2).sum();
    let all: u64 = numbers.iter().sum();
    (numbers.len() >= 5).then(|| Used::Ticks { busy: all - idle, all })
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    const HALF_SECOND: Duration = Duration::from_millis(500);

    fn write(root: &TempDir, path: &str, text: &str) {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// The second of two samples half a second apart.
    fn sampled(root: &TempDir, cpus: Option<f64>, path: &str, texts: [&str; 2]) -> Option<f32> {
        write(root, path, texts[0]);
        let mut cpu = Cpu::within(root.path(), cpus, 4.0);
        let now = Instant::now();
        assert_eq!(cpu.sample(now), None, "one look says nothing");
        write(root, path, texts[1]);
        cpu.sample(now + HALF_SECOND)
    }

    #[test]
    fn v2_counts_against_its_quota() {
        let stat = "sys/fs/cgroup/cpu.stat";
        let texts = ["usage_usec 1000000\nuser_usec 1\n", "usage_usec 1250000\nuser_usec 1\n"];
        for (max, cpus, expected) in [
            (Some("max 100000"), None, 0.125),
            (Some("100000 100000"), None, 0.5),
            (Some("50000"), None, 1.0),
            (None, None, 0.125),
            (Some("100000 100000"), Some(2.0), 0.25),
        ] {
            let root = TempDir::new().unwrap();
            if let Some(max) = max {
                write(&root, "sys/fs/cgroup/cpu.max", max);
            }
            assert_eq!(sampled(&root, cpus, stat, texts), Some(expected), "{max:?} {cpus:?}");
        }
    }

    #[test]
    fn v1_without_a_quota_has_two() {
        let (path, texts) = ("sys/fs/cgroup/cpuacct/cpuacct.usage", ["0\n", "500000000\n"]);
        for (quota, expected) in [("-1", 0.5), ("400000", 0.25), ("50000", 1.0)] {
            let root = TempDir::new().unwrap();
            write(&root, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", quota);
            write(&root, "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000");
            assert_eq!(sampled(&root, None, path, texts), Some(expected), "{quota}");
        }
    }

    #[test]
    fn a_machine_without_containers_counts_ticks() {
        let texts = ["cpu  100 0 100 700 100 0 0 0 0 0\n", "cpu  125 0 125 800 150 0 0 0 0 0\n"];
        let root = TempDir::new().unwrap();
        assert_eq!(sampled(&root, None, "proc/stat", texts), Some(0.25));
        assert_eq!(sampled(&root, Some(2.0), "proc/stat", texts), Some(0.5));
    }

    #[test]
    fn what_cannot_be_is_no_sample() {
        let path = "sys/fs/cgroup/cpuacct/cpuacct.usage";
        let root = TempDir::new().unwrap();
        assert_eq!(sampled(&root, None, path, ["0", "9000000000"]), None, "more than four CPUs");
        assert_eq!(sampled(&root, None, path, ["9000000000", "0"]), None, "backwards");
        assert_eq!(Cpu::within(Path::new("/nowhere"), None, 1.0).sample(Instant::now()), None);
    }

    #[test]
    fn this_machine_can_be_read() {
        let mut cpu = Cpu::new(None);
        assert!(cpu.cpus() > 0.0);
        assert!(cpu.used().is_some(), "{cpu:?}");
        assert_eq!(cpu.sample(Instant::now()), None);
    }
}
