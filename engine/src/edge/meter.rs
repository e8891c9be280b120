//! What is measured of one edge, over all calls of a pipeline.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::{Limit, Overflow};

/// The longest time that a histogram tells apart, in µs: one hour. Longer ones count as one hour.
const LONGEST_US: u64 = 3_600_000_000;

/// Three significant digits: a percentile is right to 0.1 %.
const DIGITS: u8 = 3;

/// Why a message was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DropReason {
    /// Its edge was full.
    Overflow,
    /// Its turn was interrupted.
    Stale,
    /// Nobody read the edge any more, or the call ended.
    Closed,
}

impl DropReason {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::Overflow, Self::Stale, Self::Closed];

    /// The value of the metric's label `reason`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Overflow => "overflow",
            Self::Stale => "stale",
            Self::Closed => "closed",
        }
    }
}

/// What has passed an edge. At any instant `sent = received + dropped + length`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages offered to the edge.
    pub sent: u64,
    /// Messages that a node received.
    pub received: u64,
    /// Messages that wait in queues now.
    pub length: u64,
    dropped: [u64; DropReason::ALL.len()],
}

impl Counts {
    /// Messages dropped for `reason`.
    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.dropped[reason as usize]
    }

    /// Messages dropped for any reason.
    pub fn dropped_total(&self) -> u64 {
        self.dropped.iter().sum()
    }

    pub(super) fn drop(&mut self, reason: DropReason) {
        self.dropped[reason as usize] += 1;
    }

    fn add(&mut self, other: &Self) {
        self.sent += other.sent;
        self.received += other.received;
        self.length += other.length;
        for (total, more) in self.dropped.iter_mut().zip(other.dropped) {
            *total += more;
        }
    }
}

/// A live queue, as its meter sees it.
pub(super) trait Counted: Send + Sync + fmt::Debug {
    fn counts(&self) -> Counts;
}

/// The meter of one edge of one pipeline, shared by all its calls.
#[derive(Debug)]
pub struct EdgeMeter {
    name: String,
    limit: Limit,
    overflow: Overflow,
    times: Mutex<Times>,
    queues: Mutex<Queues>,
}

#[derive(Debug)]
struct Times {
    queue: Histogram<u64>,
    age: Histogram<u64>,
}

/// The queues of calls in progress, and the sum of those that ended.
#[derive(Debug, Default)]
struct Queues {
    next: u64,
    live: BTreeMap<u64, Arc<dyn Counted>>,
    ended: Counts,
}

/// A queue's place in its meter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attached(u64);

/// The figures of one edge at one instant.
#[derive(Clone, Debug)]
pub struct EdgeFigures {
    /// The edge's written form: `llm.text -> tts.text`.
    pub edge: String,
    /// How much one call may hold on it.
    pub limit: Limit,
    /// What happens when that is reached.
    pub overflow: Overflow,
    /// What has passed.
    pub counts: Counts,
    /// How long messages waited on the edge, in µs.
    pub queue_us: Histogram<u64>,
    /// How old messages were when they were received, counted from their origin, in µs.
    pub age_us: Histogram<u64>,
}

impl EdgeFigures {
    /// Adds the figures of the same edge under another limit.
    pub(crate) fn add(&mut self, other: &Self) {
        self.counts.add(&other.counts);
        let sums = [(&mut self.queue_us, &other.queue_us), (&mut self.age_us, &other.age_us)];
        for (sum, more) in sums {
            sum.add(more).expect("all histograms of time have the same bounds");
        }
    }
}

impl EdgeMeter {
    /// A meter for the edge `name`.
    pub fn new(name: impl Into<String>, limit: Limit, overflow: Overflow) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            limit,
            overflow,
            times: Mutex::new(Times { queue: histogram(), age: histogram() }),
            queues: Mutex::default(),
        })
    }

    /// The edge's written form: `llm.text -> tts.text`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How much one call may hold on the edge.
    pub fn limit(&self) -> Limit {
        self.limit
    }

    /// What happens when that is reached.
    pub fn overflow(&self) -> Overflow {
        self.overflow
    }

    /// The figures now.
    pub fn figures(&self) -> EdgeFigures {
        let counts = self.counts();
        let times = self.times.lock().expect("no panic holds this lock");
        EdgeFigures {
            edge: self.name.clone(),
            limit: self.limit,
            overflow: self.overflow,
            counts,
            queue_us: times.queue.clone(),
            age_us: times.age.clone(),
        }
    }

    /// What has passed so far, in all calls.
    pub fn counts(&self) -> Counts {
        let queues = self.queues.lock().expect("no panic holds this lock");
        let mut sum = queues.ended;
        queues.live.values().for_each(|queue| sum.add(&queue.counts()));
        sum
    }

    pub(super) fn record(&self, queue: Duration, age: Duration) {
        let mut times = self.times.lock().expect("no panic holds this lock");
        times.queue.saturating_record(micros(queue));
        times.age.saturating_record(micros(age));
    }

    pub(super) fn attach(&self, queue: Arc<dyn Counted>) -> Attached {
        let mut queues = self.queues.lock().expect("no panic holds this lock");
        let id = queues.next;
        queues.next += 1;
        queues.live.insert(id, queue);
        Attached(id)
    }

    pub(super) fn detach(&self, Attached(id): Attached) {
        let mut queues = self.queues.lock().expect("no panic holds this lock");
        if let Some(queue) = queues.live.remove(&id) {
            queues.ended.add(&queue.counts());
        }
    }
}

/// An empty histogram of µs from 1 to [`LONGEST_US`], to three significant digits.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST_US, DIGITS).expect("the bounds are valid")
}

/// Whole µs, at most those of an hour.
pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX).min(LONGEST_US)
}
