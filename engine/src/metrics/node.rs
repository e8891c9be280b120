//! What is measured of one node, over all calls of a pipeline.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::edge::{histogram, micros};

/// How long a node takes for its work (what that is, its kind's documentation says), and what its
/// provider bills.
#[derive(Debug)]
pub struct NodeMeter {
    name: String,
    latency: Mutex<Histogram<u64>>,
    used: Mutex<BTreeMap<Usage, u64>>,
    discarded_us: AtomicU64,
}

/// What providers bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Usage {
    /// Tokens that a language model read.
    LlmInputTokens,
    /// Those among them that it had read before.
    LlmInputCachedTokens,
    /// Tokens that it wrote, unheard ones included; not those of an answer that was broken off, of
    /// which providers say nothing.
    LlmOutputTokens,
    /// Characters sent to be spoken, unheard ones included.
    TtsCharacters,
}

impl Usage {
    /// The value of the metric's label `unit`.
    pub fn name(self) -> &'static str {
        match self {
            Self::LlmInputTokens => "llm_input_tokens",
            Self::LlmInputCachedTokens => "llm_input_cached_tokens",
            Self::LlmOutputTokens => "llm_output_tokens",
            Self::TtsCharacters => "tts_characters",
        }
    }
}

impl NodeMeter {
    /// A meter for the node `name`.
    pub fn new(name: impl Into<String>) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            latency: Mutex::new(histogram()),
            used: Mutex::default(),
            discarded_us: AtomicU64::default(),
        })
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

    /// Counts what was used.
    pub fn used(&self, usage: Usage, amount: u64) {
        let mut used = self.used.lock().expect("no panic holds this lock");
        *used.entry(usage).or_default() += amount;
    }

    /// What was used so far.
    pub fn usage(&self) -> BTreeMap<Usage, u64> {
        self.used.lock().expect("no panic holds this lock").clone()
    }

    /// Counts sound that the node held when its turn was interrupted. On an edge it would be
    /// counted there.
    pub fn discarded(&self, sound: Duration) {
        self.discarded_us.fetch_add(micros(sound), Ordering::Relaxed);
    }

    /// The length of the sound that was discarded so far.
    pub fn discarded_total(&self) -> Duration {
        Duration::from_micros(self.discarded_us.load(Ordering::Relaxed))
    }

    /// The service times so far, in µs.
    pub fn latency_us(&self) -> Histogram<u64> {
        self.latency.lock().expect("no panic holds this lock").clone()
    }
}
