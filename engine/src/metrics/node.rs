//! The service times of one node, over all calls of a pipeline.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::edge::{histogram, micros};

/// How long a node takes for its work: what that is, its kind's documentation says.
#[derive(Debug)]
pub struct NodeMeter {
    name: String,
    latency: Mutex<Histogram<u64>>,
}

impl NodeMeter {
    /// A meter for the node `name`.
    pub fn new(name: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { name: name.into(), latency: Mutex::new(histogram()) })
    }

    /// The node's name in the graph.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Records one piece of work.
    pub fn record(&self, latency: Duration) {
        let mut histogram = self.latency.lock().expect("no panic holds this lock");
        histogram.saturating_record(micros(latency));
    }

    /// The service times so far, in µs.
    pub fn latency_us(&self) -> Histogram<u64> {
        self.latency.lock().expect("no panic holds this lock").clone()
    }
}
