//! The figures for people, each beside its goal, and the verdict on those that are gated.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::outside::Gaps;
use crate::run::Figures;

/// What the engine may add to half of the turns, and to 99 % of them.
const ADDED_GOALS: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(5));

/// What a call is to take of memory. About half of it is speech that was made and is not played
/// yet.
const CALL_GOAL_BYTES: u64 = 256 * 1_024;

/// What a call may take: the goal, and what pages and allocators make of it from run to run.
const CALL_BYTES: u64 = 320 * 1_024;

/// Connections that the database's pool keeps open, its default: a burst of calls opens them.
const KEPT_CONNECTIONS: usize = 10;

/// Files that may be open after the calls and were not before: those of the kept connections to
/// SQLite, each the database, its log and the log's index. Forty calls that left one each are more.
pub(crate) const SPARE_FILES: usize = 3 * KEPT_CONNECTIONS;

/// Threads that may be there after the calls and were not before: one of each kept connection to
/// SQLite, and those that a runtime keeps for blocking work, and lets go when they idle.
const SPARE_THREADS: usize = KEPT_CONNECTIONS + 2;

/// The one edge that carries nothing: the model of `load.toml` calls no tool.
const QUIET_EDGE: &str = "llm.call -> booking.call";

/// The longest duration that is told apart: longer than the longest call.
const MAX_US: u64 = 86_400_000_000;

/// The table.
pub(crate) struct Table {
    rows: Vec<Row>,
    complaints: Vec<String>,
}

struct Row {
    what: &'static str,
    figure: String,
    goal: String,
    /// Whether the gate held; `None` where it is none.
    held: Option<bool>,
}

impl Table {
    pub(crate) fn new(figures: &Figures) -> Self {
        let rows = [answers(figures), times(figures), memory(figures), rest(figures)];
        let complaints = figures.tales.iter().flat_map(|tale| tale.complaints.clone()).collect();
        Self { rows: rows.into_iter().flatten().collect(), complaints }
    }

    /// Whether every gate held.
    pub(crate) fn holds(&self) -> bool {
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

fn gate(what: &'static str, figure: String, goal: &str, held: bool) -> Row {
    Row { what, figure, goal: goal.to_owned(), held: Some(held) }
}

fn shown(what: &'static str, figure: String, goal: String) -> Row {
    Row { what, figure, goal, held: None }
}

fn answers(figures: &Figures) -> Vec<Row> {
    let asked: u32 = figures.tales.iter().map(|tale| tale.asked).sum();
    let answered: usize = figures.tales.iter().map(|tale| tale.answers.len()).sum();
    let silent = figures.tales.iter().filter(|tale| tale.answers.is_empty()).count();
    let complaints: usize = figures.tales.iter().map(|tale| tale.complaints.len()).sum();
    let all = answered == asked as usize && silent == 0;
    vec![
        gate(
            "calls, and those unanswered",
            format!("{}, {silent}", figures.calls),
            "none",
            silent == 0,
        ),
        gate("questions asked, answered", format!("{asked}, {answered}"), "all", all),
        gate("complaints", complaints.to_string(), "none", complaints == 0),
    ]
}

fn times(figures: &Figures) -> Vec<Row> {
    let answers = || figures.tales.iter().flat_map(|tale| &tale.answers);
    let gaps = |of: fn(&Gaps) -> i64| quantiles(figures.gaps.iter().map(|gaps| micros(of(gaps))));
    let (half, most) = ADDED_GOALS;
    let goal = format!("p50 <= {} ms, p99 <= {} ms", half.as_millis(), most.as_millis());
    let error = format!("the last is exact to {} us", figures.clock_error.as_micros());
    let none = String::new;
    vec![
        shown("engine-added, p50/p99/max", quantiles(answers().map(|one| one.engine_added)), goal),
        shown("the same seen from outside", gaps(|gaps| gaps.sum_us()), none()),
        shown("  final words to LLM request", gaps(|gaps| gaps.to_llm_us), none()),
        shown("  token to TTS text", gaps(|gaps| gaps.to_tts_us), none()),
        shown("  sound to caller", gaps(|gaps| gaps.to_caller_us), error),
        shown("end of speech to first sound", quantiles(answers().map(|one| one.e2e)), none()),
    ]
}

fn memory(figures: &Figures) -> Vec<Row> {
    let grown = figures.peak_bytes.saturating_sub(figures.idle.resident_bytes);
    let each = grown / u64::from(figures.calls);
    let kib = |bytes: u64| format!("{} KiB", bytes / 1_024);
    let all = [figures.idle.resident_bytes, figures.peak_bytes, figures.after.resident_bytes];
    let [idle, peak, after] = all.map(|bytes| bytes / 1_024);
    vec![
        gate(
            "memory for each call",
            kib(each),
            &format!("<= {}, gated at {}", kib(CALL_GOAL_BYTES), kib(CALL_BYTES)),
            each <= CALL_BYTES,
        ),
        shown("resident idle, peak, after", format!("{idle}, {peak}, {after} KiB"), String::new()),
    ]
}

fn rest(figures: &Figures) -> Vec<Row> {
    let (idle, after) = (figures.idle, figures.after);
    let sum = |of: fn(&crate::http::Edge) -> u64| figures.edges.iter().map(of).sum::<u64>();
    let adds_up = |edge: &crate::http::Edge| {
        let carries = edge.sent > 0 || edge.edge == QUIET_EDGE;
        edge.length == 0 && edge.sent == edge.received + edge.dropped() && carries
    };
    let odd: Vec<&str> =
        figures.edges.iter().filter(|edge| !adds_up(edge)).map(|edge| &*edge.edge).collect();
    let percent = |load: f64| format!("{:.0} %", 100.0 * load);
    let loads = [figures.server_load, figures.simulators_load, figures.callers_load].map(percent);
    vec![
        gate("calls left", figures.sessions_after.to_string(), "none", figures.sessions_after == 0),
        gate(
            "messages sent, received, dropped",
            format!(
                "{}, {}, {}",
                sum(|edge| edge.sent),
                sum(|edge| edge.received),
                sum(|edge| edge.dropped())
            ),
            &if odd.is_empty() { "they add up".to_owned() } else { odd.join(", ") },
            odd.is_empty() && !figures.edges.is_empty(),
        ),
        gate(
            "files open before, after",
            format!("{}, {}", idle.descriptors, after.descriptors),
            "the pool's",
            after.descriptors <= idle.descriptors + SPARE_FILES,
        ),
        gate(
            "threads before, after",
            format!("{}, {}", idle.threads, after.threads),
            "the pool's",
            after.threads <= idle.threads + SPARE_THREADS,
        ),
        shown("processor: serve, simulate, callers", loads.join(", "), "of one core".to_owned()),
    ]
}

/// A gap that is negative, where two turns' requests were swapped, is none.
fn micros(gap_us: i64) -> Duration {
    Duration::from_micros(gap_us.max(0).cast_unsigned())
}

/// p50, p99 and the maximum, in ms.
fn quantiles(durations: impl Iterator<Item = Duration>) -> String {
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
