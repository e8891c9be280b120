//! The figures for people, each beside its goal, and the verdict on those that are gated.

use std::time::Duration;

use voicegraph_benches::server::{Edge, SPARE_FILES, SPARE_THREADS};
use voicegraph_benches::table::{Row, Table, gate, quantiles, shown};

use crate::outside::Gaps;
use crate::run::Figures;

/// What the engine may add to half of the turns, and to 99 % of them.
const ADDED_GOALS: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(5));

/// What a call is to take of memory. About half of it is speech that was made and is not played
/// yet.
const CALL_GOAL_BYTES: u64 = 256 * 1_024;

/// What a call may take: the goal, and what pages and allocators make of it from run to run.
const CALL_BYTES: u64 = 320 * 1_024;

/// The edges that carry nothing: the model of `load.toml` calls no tool, and its callers neither
/// type nor press keys.
const QUIET_EDGES: [&str; 2] = ["llm.call -> booking.call", "mic.input -> turn.input"];

/// The table.
pub(crate) fn table(figures: &Figures) -> Table {
    let rows = [answers(figures), times(figures), memory(figures), rest(figures)];
    let complaints = figures.tales.iter().flat_map(|tale| tale.complaints.clone()).collect();
    Table { rows: rows.into_iter().flatten().collect(), complaints }
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
    let sum = |of: fn(&Edge) -> u64| figures.edges.iter().map(of).sum::<u64>();
    let adds_up = |edge: &Edge| {
        let carries = edge.sent > 0 || QUIET_EDGES.contains(&&*edge.edge);
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
