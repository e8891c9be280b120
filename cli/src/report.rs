//! What is kept of a call for its tables and its JSON report.

use std::sync::Mutex;

use serde_json::{Value, json};
use tokio::time::Instant;
use voicegraph_engine::edge::EdgeFigures;
use voicegraph_engine::event::{Event, Observer};
use voicegraph_engine::metrics::EdgeReport;
use voicegraph_engine::session::CallEnd;
use voicegraph_engine::turn::TurnReport;

/// The most turns that are kept of one call; those of longer calls are in the metrics alone.
const MAX_TURNS: usize = 10_000;

/// Gathers the turns of a call.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<Vec<TurnReport>>);

impl Turns {
    /// The turns so far.
    pub(crate) fn reports(&self) -> Vec<TurnReport> {
        self.0.lock().expect("no panic holds this lock").clone()
    }
}

impl Observer for Turns {
    fn on(&self, _: Instant, event: &Event) {
        if let Event::TurnEnded { report, .. } = event {
            let mut reports = self.0.lock().expect("no panic holds this lock");
            if reports.len() < MAX_TURNS {
                reports.push(report.clone());
            }
        }
    }
}

/// The report of a call, for tools. Durations are in µs.
pub(crate) fn json(end: &CallEnd, turns: &[TurnReport], edges: &[EdgeFigures]) -> Value {
    json!({
        "session": &*end.session_id,
        "reason": end.reason.name(),
        "detail": end.reason.to_string(),
        "duration_us": u64::try_from(end.duration.as_micros()).unwrap_or(u64::MAX),
        "turns": turns,
        "edges": edges.iter().map(EdgeReport::from).collect::<Vec<_>>(),
    })
}
