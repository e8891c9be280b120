//! Figures for people, each beside its goal, and the verdict on those that are gated.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;

/// The longest duration that is told apart: longer than the longest call.
const MAX_US: u64 = 86_400_000_000;

/// The figures of one measurement.
#[derive(Debug)]
pub struct Table {
    /// The figures, in order.
    pub rows: Vec<Row>,
    /// What went wrong, in words.
    pub complaints: Vec<String>,
}

/// A figure.
#[derive(Debug)]
pub struct Row {
    what: &'static str,
    figure: String,
    goal: String,
    /// Whether the gate held; `None` where it is none.
    held: Option<bool>,
}

impl Table {
    /// Whether every gate held.
    pub fn holds(&self) -> bool {
        self.rows.iter().all(|row| row.held != Some(false))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Row { what, figure, goal, held } in &self.rows {
            let verdict = match held {
                Some(true) => "  ok",
                Some(false) => "  FAILED",
                None => "",
            };
            writeln!(f, "{what:<34} {figure:>34}   {goal}{verdict}")?;
        }
        for complaint in &self.complaints {
            writeln!(f, "complaint: {complaint}")?;
        }
        Ok(())
    }
}

/// A figure that is `held` to its goal.
pub fn gate(what: &'static str, figure: String, goal: &str, held: bool) -> Row {
    Row { what, figure, goal: goal.to_owned(), held: Some(held) }
}

/// A figure that is only shown.
pub fn shown(what: &'static str, figure: String, goal: String) -> Row {
    Row { what, figure, goal, held: None }
}

/// p50, p99 and the maximum, in ms.
pub fn quantiles(durations: impl Iterator<Item = Duration>) -> String {
    let mut histogram =
        Histogram::<u64>::new_with_max(MAX_US, 3).expect("a maximum above two and three digits");
    for duration in durations {
        histogram.saturating_record(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX));
    }
    if histogram.is_empty() {
        return "unknown".to_owned();
    }
    let ms = |us: u64| us as f64 / 1_000.0;
    let at = |quantile| ms(histogram.value_at_quantile(quantile));
    format!("{:.2} / {:.2} / {:.2} ms", at(0.5), at(0.99), ms(histogram.max()))
}
