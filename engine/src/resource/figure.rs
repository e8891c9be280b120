//! One figure of a resource, as its node names it.

use hdrhistogram::Histogram;

/// A figure, which becomes a family of series with the labels `pipeline`, `environment` and `node`.
#[derive(Clone, Debug)]
pub struct Figure {
    /// The metric's name: `voicegraph_`, what it is of, and at the end the unit (`_total`,
    /// `_seconds`). No other module's.
    pub name: &'static str,
    /// What the metric says, in a sentence.
    pub help: &'static str,
    /// What was measured.
    pub measure: Measure,
}

/// What was measured.
#[derive(Clone, Debug)]
pub enum Measure {
    /// What rises and falls.
    Gauge(u64),
    /// A gauge in parts that add up to a whole, each a value of `label`.
    Parts {
        /// The label's name: `state`.
        label: &'static str,
        /// Its values, and how much each has.
        parts: Vec<(&'static str, u64)>,
    },
    /// What only rises.
    Counter(u64),
    /// Durations in µs, shown in seconds.
    Durations(Histogram<u64>),
}
