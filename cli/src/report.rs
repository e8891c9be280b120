//! What is kept of a call for its tables and its JSON report.

use std::path::Path;
use std::sync::Mutex;

use anyhow::Context;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::{Duration, Instant};
use voicegraph_engine::event::{Event, Observer};
use voicegraph_engine::metrics::EdgeReport;
use voicegraph_engine::turn::{TurnId, TurnReport};

use crate::call::Outcome;

/// The most turns that are kept of one call; those of longer calls are in the metrics alone.
const MAX_TURNS: usize = 10_000;

/// A turn with its place in the call: µs from the call's start, as in the recording.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Timed {
    #[serde(flatten)]
    pub(crate) report: TurnReport,
    /// When the agent was told to be silent, where it was and never went on.
    held_at_us: Option<u64>,
    /// When the turn was over: played to its end, or given up.
    ended_at_us: u64,
}

/// Gathers the turns of a call.
#[derive(Debug)]
pub(crate) struct Turns {
    start: Instant,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    ended: Vec<Timed>,
    /// The turn that is held, and since when.
    held: Option<(TurnId, u64)>,
}

impl Turns {
    /// The turns of a call that begins now.
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), state: Mutex::default() }
    }

    /// The turns so far.
    pub(crate) fn ended(&self) -> Vec<Timed> {
        self.state.lock().expect("no panic holds this lock").ended.clone()
    }
}

impl Observer for Turns {
    fn on(&self, at: Instant, event: &Event) {
        let at_us = micros(at.saturating_duration_since(self.start));
        let mut state = self.state.lock().expect("no panic holds this lock");
        match event {
            Event::Held { turn } => state.held = Some((*turn, at_us)),
            Event::Resumed { .. } => state.held = None,
            Event::TurnEnded { report, .. } if state.ended.len() < MAX_TURNS => {
                let held = state.held.take().filter(|(turn, _)| *turn == report.turn);
                state.ended.push(Timed {
                    report: report.clone(),
                    held_at_us: held.map(|(_, at_us)| at_us),
                    ended_at_us: at_us,
                });
            }
            _ => {}
        }
    }
}

/// Writes the report of a call to `path`, for tools.
pub(crate) fn write(outcome: &Outcome, path: &Path) -> anyhow::Result<()> {
    let report = format!("{:#}\n", json(outcome));
    std::fs::write(path, report)
        .with_context(|| format!("cannot write the report {}", path.display()))
}

/// The report; durations are in µs.
fn json(outcome: &Outcome) -> Value {
    let end = &outcome.end;
    json!({
        "session": &*end.session_id,
        "reason": end.reason.name(),
        "detail": end.reason.to_string(),
        "duration_us": micros(end.duration),
        "turns": outcome.turns,
        "edges": outcome.edges.iter().map(EdgeReport::from).collect::<Vec<_>>(),
    })
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
