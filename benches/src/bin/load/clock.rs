//! The simulators' clock as seen from here.
//!
//! Their log counts from its first line. A request that is refused at once is logged between its
//! sending and its answer, which ties one instant here to one there; the quickest of some requests
//! ties them to within half of its round trip.

use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::time::Instant;
use voicegraph_tests::http;

use crate::trace::{Direction, Entry};

/// How many requests are made.
const PROBES: usize = 50;

/// One request: when it was sent and when its answer came.
#[derive(Clone, Copy, Debug)]
struct Probe {
    sent: Instant,
    answered: Instant,
}

/// The requests, in order. They must be the first that the simulators get.
#[derive(Debug)]
pub(crate) struct Probes(Vec<Probe>);

impl Probes {
    /// Asks the simulators at `at`.
    pub(crate) async fn take(at: &str) -> anyhow::Result<Self> {
        let mut probes = Vec::with_capacity(PROBES);
        for _ in 0..PROBES {
            let sent = Instant::now();
            let status = http::get(at, "/v1/listen").await.status;
            probes.push(Probe { sent, answered: Instant::now() });
            ensure!(status == 401, "a request without a key gets {status}");
        }
        Ok(Self(probes))
    }
}

/// Turns the log's times into instants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// An instant here, and the log's time then.
    tie: (Instant, u64),
    /// By how much an instant may be wrong, either way.
    pub(crate) error: Duration,
}

impl Clock {
    /// The clock of the log that begins with `probes`.
    pub(crate) fn new(probes: &Probes, entries: &[Entry]) -> anyhow::Result<Self> {
        let opened = entries.iter().filter(|entry| entry.is("deepgram", Direction::In));
        let tied = probes.0.iter().zip(opened.filter(|entry| entry.what == "open"));
        let quickest = tied.min_by_key(|(probe, _)| probe.answered - probe.sent);
        let (probe, entry) = quickest.context("the log does not begin with the probes")?;
        let error = (probe.answered - probe.sent) / 2;
        Ok(Self { tie: (probe.sent + error, entry.at_us), error })
    }

    /// The instant of the log's time `at_us`, no earlier than the tie.
    pub(crate) fn instant(&self, at_us: u64) -> Instant {
        let (instant, tied_us) = self.tie;
        instant + Duration::from_micros(at_us.saturating_sub(tied_us))
    }
}
