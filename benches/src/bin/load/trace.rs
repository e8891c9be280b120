//! The simulators' log.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::Context;
use serde::Deserialize;

/// One line: a message as the simulator saw it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Entry {
    /// µs since the first line.
    pub(crate) at_us: u64,
    pub(crate) provider: String,
    /// The n-th connection or request of the provider.
    pub(crate) connection: u64,
    /// The call or the context, as the client calls it.
    #[serde(default)]
    pub(crate) id: String,
    pub(crate) direction: Direction,
    pub(crate) what: String,
}

/// Seen from the simulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Direction {
    In,
    Out,
}

impl Entry {
    /// Whether it went to or came from `provider` that way.
    pub(crate) fn is(&self, provider: &str, direction: Direction) -> bool {
        self.provider == provider && self.direction == direction
    }
}

/// Reads the log at `path`, without the callers' frames, which are most of it.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for line in BufReader::new(File::open(path).context("no log")?).lines() {
        let line = line?;
        let entry: Entry = serde_json::from_str(&line).with_context(|| line.clone())?;
        if entry.what != "audio" {
            entries.push(entry);
        }
    }
    Ok(entries)
}
