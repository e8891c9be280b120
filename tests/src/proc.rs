//! What the kernel tells of a process in `/proc`: memory, descriptors, threads, processor time.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// The kernel's clock ticks per second as `/proc` shows them: fixed on Linux, whatever the kernel's
/// own are (`proc_pid_stat(5)`, `USER_HZ`).
const TICKS_PER_SECOND: u64 = 100;

/// A process's folder in `/proc`.
#[derive(Clone, Debug)]
pub struct Proc(PathBuf);

/// What a process holds at one instant.
#[derive(Clone, Copy, Debug, Default)]
pub struct Held {
    /// Resident memory.
    pub resident_bytes: u64,
    /// Open file descriptors.
    pub descriptors: usize,
    /// Threads.
    pub threads: usize,
}

impl Proc {
    /// This process.
    pub fn own() -> Self {
        Self(PathBuf::from("/proc/self"))
    }

    /// The process `pid`.
    pub fn of(pid: u32) -> Self {
        Self(PathBuf::from(format!("/proc/{pid}")))
    }

    /// Resident memory in bytes. `smaps_rollup` counts the pages; the `statm` of kernels since 6.2
    /// may lag behind by some dozens for each processor.
    ///
    /// # Errors
    /// Where the process is gone or not ours.
    pub fn resident_bytes(&self) -> io::Result<u64> {
        let text = fs::read_to_string(self.0.join("smaps_rollup"))?;
        let line = text.lines().find_map(|line| line.strip_prefix("Rss:"));
        let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
        kib.map(|kib| kib * 1_024).ok_or_else(|| unreadable("smaps_rollup"))
    }

    /// Open file descriptors.
    ///
    /// # Errors
    /// Where the process is gone or not ours.
    pub fn descriptors(&self) -> io::Result<usize> {
        Ok(fs::read_dir(self.0.join("fd"))?.count())
    }

    /// Threads.
    ///
    /// # Errors
    /// Where the process is gone or not ours.
    pub fn threads(&self) -> io::Result<usize> {
        Ok(fs::read_dir(self.0.join("task"))?.count())
    }

    /// What it holds now.
    ///
    /// # Errors
    /// Where the process is gone or not ours.
    pub fn held(&self) -> io::Result<Held> {
        let (resident_bytes, threads) = (self.resident_bytes()?, self.threads()?);
        Ok(Held { resident_bytes, descriptors: self.descriptors()?, threads })
    }

    /// Processor time so far, of all threads, in user and kernel together.
    ///
    /// # Errors
    /// Where the process is gone.
    pub fn processor_time(&self) -> io::Result<Duration> {
        let text = fs::read_to_string(self.0.join("stat"))?;
        // The second field is the name in parentheses, which may hold anything; the third follows.
        let fields = text.rsplit_once(')').map(|(_, rest)| rest.split_whitespace());
        let mut times = fields.ok_or_else(|| unreadable("stat"))?.skip(11);
        let mut next = || times.next()?.parse::<u64>().ok();
        let ticks = next().zip(next()).map(|(user, kernel)| user + kernel);
        let ticks = ticks.ok_or_else(|| unreadable("stat"))?;
        Ok(Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND))
    }
}

/// Processor time of the whole machine so far, of all its processors, idle time aside.
///
/// # Errors
/// Where the kernel does not tell.
pub fn machine_time() -> io::Result<Duration> {
    let text = fs::read_to_string("/proc/stat")?;
    let line = text.lines().next().ok_or_else(|| unreadable("stat"))?;
    let ticks = line.split_whitespace().skip(1).map(str::parse::<u64>);
    // user, nice, system, idle, iowait, irq, softirq, steal; what follows is in the first two.
    let ticks: Vec<u64> =
        ticks.take(8).collect::<Result<_, _>>().map_err(|_| unreadable("stat"))?;
    let busy: u64 =
        ticks.iter().enumerate().filter(|(at, _)| ![3, 4].contains(at)).map(|(_, it)| it).sum();
    Ok(Duration::from_millis(busy * 1_000 / TICKS_PER_SECOND))
}

fn unreadable(file: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("`{file}` is not as proc(5) says"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_follows_what_is_touched() {
        // What tests beside this one give back is less.
        let before = Proc::own().resident_bytes().unwrap();
        let touched = vec![1u8; 128 << 20];
        let after = Proc::own().resident_bytes().unwrap();
        assert!(after >= before + (64 << 20), "{before} {after} {}", touched.len());
    }

    #[test]
    fn the_machine_works_no_less_than_a_process() {
        let (own, machine) = (Proc::own().processor_time().unwrap(), machine_time().unwrap());
        assert!(machine > own, "{machine:?} {own:?}");
    }

    #[test]
    fn open_files_are_descriptors() {
        // Tests beside this one open and close some.
        let (process, beside) = (Proc::of(std::process::id()), 64);
        let before = process.descriptors().unwrap();
        let files = [(); 128].map(|()| fs::File::open("/proc/self/stat").unwrap());
        assert!(process.descriptors().unwrap() + beside >= before + files.len());
    }

    #[test]
    fn work_takes_processor_time() {
        let before = Proc::own().processor_time().unwrap();
        let mut sum = 0u64;
        while Proc::own().processor_time().unwrap() == before {
            sum = (0..100_000u64).fold(sum, |sum, x| sum.wrapping_add(x * x));
        }
        assert!(Proc::own().threads().unwrap() >= 1, "{sum}");
    }
}
