//! All pipelines of one process, and their exposition.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use prometheus::TextEncoder;

use super::{Identity, PipelineMetrics, exposition};

/// The metrics of one process: made once, handed to whoever measures or serves.
#[derive(Debug, Default)]
pub struct Metrics {
    pipelines: Mutex<BTreeMap<(String, String), Arc<PipelineMetrics>>>,
}

impl Metrics {
    /// The media type of [`text`](Self::text).
    pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

    /// Metrics of a process without pipelines.
    pub fn new() -> Self {
        Self::default()
    }

    /// The metrics of the pipeline of that name and environment: always the same, so that a new
    /// graph goes on counting. Fingerprint and version are what is shown from now on.
    pub fn pipeline(
        &self,
        name: &str,
        environment: &str,
        fingerprint: &str,
        version: &str,
    ) -> Arc<PipelineMetrics> {
        let identity = Identity {
            pipeline: name.to_owned(),
            environment: environment.to_owned(),
            fingerprint: fingerprint.to_owned(),
            version: version.to_owned(),
        };
        let mut pipelines = self.pipelines.lock().expect("no panic holds this lock");
        let key = (name.to_owned(), environment.to_owned());
        if let Some(known) = pipelines.get(&key) {
            known.set_identity(identity);
            return Arc::clone(known);
        }
        let metrics = Arc::new(PipelineMetrics::new(identity));
        pipelines.insert(key, Arc::clone(&metrics));
        metrics
    }

    /// Every pipeline, in alphabetical order.
    pub fn pipelines(&self) -> Vec<Arc<PipelineMetrics>> {
        let pipelines = self.pipelines.lock().expect("no panic holds this lock");
        pipelines.values().cloned().collect()
    }

    /// How many calls are in progress.
    pub fn sessions(&self) -> u64 {
        self.pipelines().iter().map(|pipeline| pipeline.sessions()).sum()
    }

    /// Everything in Prometheus' text format 0.0.4, ordered by name.
    ///
    /// # Errors
    /// Where a node gives a family that cannot be written.
    pub fn text(&self) -> Result<String, prometheus::Error> {
        let mut families = exposition::families(&self.pipelines());
        families.sort_by(|a, b| a.name().cmp(b.name()));
        TextEncoder::new().encode_to_string(&families)
    }
}
