//! Prints a call's conversation as it happens.

use std::io::{Write, stdout};
use std::sync::Mutex;

use tokio::time::Instant;
use voicegraph_engine::event::{Event, Observer, ToolStage};
use voicegraph_engine::turn::{Outcome, TurnId};

/// Prints what is said, each line with its time from the start of the call.
#[derive(Debug)]
pub(crate) struct Conversation {
    start: Instant,
    /// The turn whose answer is being printed, on a line that is not yet ended.
    open: Mutex<Option<TurnId>>,
}

impl Conversation {
    /// A conversation that counts from now.
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), open: Mutex::new(None) }
    }

    /// Begins a line of `who`, after ending the one that may be open.
    fn begin(&self, open: &mut Option<TurnId>, at: Instant, who: &str) -> String {
        let end = if open.take().is_some() { "\n" } else { "" };
        let seconds = at.saturating_duration_since(self.start).as_secs_f64();
        format!("{end}{seconds:7.2} s  {who:<7} ")
    }

    fn line(&self, open: &mut Option<TurnId>, at: Instant, event: &Event) -> Option<String> {
        Some(match event {
            Event::TurnBegan { text, .. } if !text.is_empty() => {
                self.begin(open, at, "caller") + text + "\n"
            }
            Event::AgentText { turn, text } if *open == Some(*turn) => text.clone(),
            Event::AgentText { turn, text } => {
                let line = self.begin(open, at, "agent") + text.trim_start();
                *open = Some(*turn);
                line
            }
            Event::TurnEnded { heard, report } if report.outcome == Outcome::Interrupted => {
                self.begin(open, at, "") + &format!("(interrupted; heard: {heard:?})\n")
            }
            Event::Tool { name, stage: ToolStage::Called, .. } => {
                self.begin(open, at, "tool") + name + "\n"
            }
            Event::Resumed { .. } => self.begin(open, at, "") + "(goes on)\n",
            Event::Fault { node, what, .. } => {
                self.begin(open, at, "") + &format!("({node}: {what})\n")
            }
            Event::TurnEnded { .. } if open.take().is_some() => "\n".to_owned(),
            _ => return None,
        })
    }
}

impl Observer for Conversation {
    fn on(&self, at: Instant, event: &Event) {
        let mut open = self.open.lock().expect("no panic holds this lock");
        if let Some(text) = self.line(&mut open, at, event) {
            let mut out = stdout().lock();
            // A reader that closed its end, `head` for example, does not end the call.
            let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        }
    }
}
