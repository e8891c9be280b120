//! What each connection received and sent, as JSON lines with monotonic times, for whoever asks.
//! It holds kinds, sizes and ids; never a key, never what was said.

use std::fmt;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use tokio::time::Instant;

/// Where the lines go; cloned into each connection.
#[derive(Clone, Default)]
pub(crate) struct Log(Option<Arc<Mutex<Sink>>>);

struct Sink {
    /// When the first line was written: the zero of all times.
    started: Option<Instant>,
    out: Box<dyn Write + Send>,
}

/// Which way a message went, seen from the simulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Direction {
    /// From the client.
    In,
    /// To the client.
    Out,
}

/// One line.
#[derive(Serialize)]
struct Line<'a> {
    at_us: u64,
    provider: &'a str,
    connection: u64,
    #[serde(skip_serializing_if = "str::is_empty")]
    id: &'a str,
    direction: Direction,
    what: &'a str,
    bytes: usize,
}

impl Log {
    /// A log that writes to `out`.
    pub(crate) fn new(out: impl Write + Send + 'static) -> Self {
        Self(Some(Arc::new(Mutex::new(Sink { started: None, out: Box::new(out) }))))
    }

    /// The log as one connection sees it.
    pub(crate) fn of(&self, provider: &'static str, connection: u64) -> Tap {
        Tap { log: self.clone(), provider, connection }
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Log({})", if self.0.is_some() { "on" } else { "off" })
    }
}

/// One connection's entry to the log.
#[derive(Debug, Clone)]
pub(crate) struct Tap {
    log: Log,
    provider: &'static str,
    /// The n-th connection or request of the provider, from 1.
    pub(crate) connection: u64,
}

impl Tap {
    /// Writes one line; `id` is the client's own name for the call or context, or empty. A sink
    /// that fails is given up on: a log must not end a call.
    pub(crate) fn record(&self, direction: Direction, id: &str, what: &str, bytes: usize) {
        let Some(sink) = &self.log.0 else { return };
        let mut sink = sink.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let at_us = (now - *sink.started.get_or_insert(now)).as_micros() as u64;
        let (provider, connection) = (self.provider, self.connection);
        let line = Line { at_us, provider, connection, id, direction, what, bytes };
        let text = serde_json::to_string(&line).expect("a line has only strings and numbers");
        if let Err(error) = writeln!(sink.out, "{text}") {
            tracing::debug!(%error, "log line lost");
        }
    }
}
