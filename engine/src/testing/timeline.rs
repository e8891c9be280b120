//! A call as text: one line for each event, with its time from the start.

use std::fmt::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use crate::event::{Event, Observer};
use crate::turn::TurnReport;

/// Writes down a call's events. Two runs of one scenario under a paused clock give the same bytes.
#[derive(Debug)]
pub struct Timeline {
    start: Instant,
    text: Mutex<String>,
}

impl Timeline {
    /// A timeline that counts from now.
    pub fn new() -> Arc<Self> {
        Arc::new(Self { start: Instant::now(), text: Mutex::default() })
    }

    /// Adds a line of the test's own.
    pub fn note(&self, line: &str) {
        self.write(Instant::now(), line);
    }

    /// What was written so far: `   1.240 line`, seconds from the start.
    pub fn text(&self) -> String {
        self.text.lock().expect("no panic holds this lock").clone()
    }

    fn write(&self, at: Instant, line: &str) {
        let seconds = at.saturating_duration_since(self.start).as_secs_f64();
        let mut text = self.text.lock().expect("no panic holds this lock");
        writeln!(text, "{seconds:9.3}  {line}").expect("writing to a string cannot fail");
    }
}

impl Observer for Timeline {
    fn on(&self, at: Instant, event: &Event) {
        if let Some(line) = line(event) {
            self.write(at, &line);
        }
    }
}

/// The line for an event; none for single pieces of the answer, which `turn ended` sums up.
fn line(event: &Event) -> Option<String> {
    Some(match event {
        Event::UserState(state) => format!("caller {}", state.name()),
        Event::AgentState(state) => format!("agent {}", state.name()),
        Event::UserTranscript { text, is_final: true } => format!("final {text:?}"),
        Event::UserTranscript { text, is_final: false } => format!("interim {text:?}"),
        Event::TurnBegan { turn, text } => format!("turn {turn} began {text:?}"),
        Event::AgentText { .. } | Event::AgentSpoke { .. } => return None,
        Event::Tool { turn, name, stage } => format!("turn {turn} tool {name} {stage:?}"),
        Event::Held { turn } => format!("turn {turn} held"),
        Event::Resumed { turn } => format!("turn {turn} resumed"),
        Event::TurnEnded { heard, report } => ended(heard, report),
        Event::Fault { node, what, retry_in: Some(delay) } => {
            format!("{node} fault {what:?}, again in {}", millis(*delay))
        }
        Event::Fault { node, what, retry_in: None } => format!("{node} fault {what:?}"),
    })
}

fn ended(heard: &str, report: &TurnReport) -> String {
    let mut line = format!("turn {} {:?}, heard {heard:?}", report.turn, report.outcome);
    let durations = [
        ("end_of_turn", report.end_of_turn_delay),
        ("transcription", report.transcription_delay),
        ("llm_ttft", report.llm_ttft),
        ("tts_ttfb", report.tts_ttfb),
        ("e2e", report.e2e),
        ("engine_added", report.engine_added),
        ("played", Some(report.played)),
        ("barge_in_stop", report.barge_in_stop),
    ];
    for (name, duration) in durations {
        if let Some(duration) = duration {
            write!(line, ", {name} {}", millis(duration)).expect("writing to a string cannot fail");
        }
    }
    line
}

/// Milliseconds with as many decimals as they need, at most three.
fn millis(duration: Duration) -> String {
    let text = format!("{:.3}", duration.as_secs_f64() * 1000.0);
    format!("{} ms", text.trim_end_matches('0').trim_end_matches('.'))
}
