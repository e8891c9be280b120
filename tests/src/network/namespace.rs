//! A network namespace, by `ip`.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

/// How the names of ours begin; the id of the process follows, and a number.
const PREFIX: &str = "voicegraph-";

/// Where `ip` keeps the names.
const NAMES: &str = "/run/netns";

/// A network namespace with nothing in it but `lo`, which is up. Dropping it removes its name; it
/// is gone when the last process in it has ended.
#[derive(Debug)]
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// Whether this machine lets us make namespaces and devices: root, iproute2, TUN.
    pub fn can_be_made() -> bool {
        let asked = Command::new("ip").args(["netns", "list"]).output();
        let writable = fs::OpenOptions::new().read(true).write(true).open("/dev/net/tun");
        asked.is_ok_and(|output| output.status.success()) && writable.is_ok()
    }

    /// A new one.
    ///
    /// # Panics
    /// Where it cannot be made.
    pub fn new() -> Self {
        static SWEPT: Once = Once::new();
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        SWEPT.call_once(sweep);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let namespace = Self { name: format!("{PREFIX}{}-{number}", std::process::id()) };
        ip(&["netns", "add", &namespace.name]);
        namespace.ip("link set lo up");
        namespace
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The words before a program's name that make it run in here, before whatever else this
    /// machine does: a sender that comes late is measured as a bad network. The process is the
    /// program itself then, so that killing it ends it.
    pub fn under(&self) -> [&str; 7] {
        ["nice", "-n", "-10", "ip", "netns", "exec", &self.name]
    }

    /// Runs `ip` in it with the words of `arguments`.
    ///
    /// # Panics
    /// Where `ip` refuses.
    pub fn ip(&self, arguments: &str) {
        let words = ["-n", &self.name].into_iter().chain(arguments.split_whitespace());
        ip(&words.collect::<Vec<_>>());
    }
}

impl Default for Namespace {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "delete", &self.name]).output();
    }
}

/// Runs `ip` to its end.
pub(super) fn ip(arguments: &[&str]) {
    let output = Command::new("ip").args(arguments).output().expect("`ip` was found before");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ip {}: {complaint}", arguments.join(" "));
}

/// Removes what test programs left that were killed.
fn sweep() {
    let names = fs::read_dir(NAMES).into_iter().flatten().flatten();
    for name in names.filter_map(|entry| entry.file_name().into_string().ok()) {
        let process = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        if process.is_some_and(|id| !Path::new("/proc").join(id).exists()) {
            let _ = Command::new("ip").args(["netns", "delete", &name]).output();
        }
    }
}
