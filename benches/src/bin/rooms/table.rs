//! The figures of a step, and of the edges through all steps.

use std::fmt::Write as _;
use std::time::Duration;

use voicegraph_benches::server::{Edge, SPARE_FILES, SPARE_THREADS};
use voicegraph_benches::table::{Row, Table, gate, quantiles, shown};

use crate::figures::{Figures, Step};
use crate::saturation::{ADDED_GOALS, processors};

/// What a call may take of the worker's memory: its room, its sound both ways, its pipeline, and
/// the speech that was made and is not played yet.
pub(crate) const CALL_BYTES: u64 = 2 << 20;

/// The table of one step.
pub(crate) fn table(figures: &Figures) -> Table {
    let rows =
        [answers(figures), times(figures), memory(figures), processor(figures), rest(figures)];
    let complaints = figures.tales.iter().filter_map(|tale| tale.complaint.clone()).collect();
    Table { rows: rows.into_iter().flatten().collect(), complaints }
}

fn answers(figures: &Figures) -> Vec<Row> {
    let tales = &figures.tales;
    let greeted = tales.iter().filter(|tale| tale.greeted).count();
    let asked: u32 = tales.iter().map(|tale| tale.asked).sum();
    let answered: usize = tales.iter().map(|tale| tale.responses_ms.len()).sum();
    let complaints = tales.iter().filter(|tale| tale.complaint.is_some()).count();
    let cut = figures.cut_turns;
    let all_greeted = greeted == figures.calls as usize;
    let all_answered = answered == asked as usize && asked > 0;
    let uncut = complaints == 0 && cut == 0;
    let row = |what, figure, goal: &str, held| match figures.step {
        Step::First => gate(what, figure, goal, held),
        Step::Later => shown(what, figure, goal.to_owned()),
    };
    vec![
        row("calls, greeted", format!("{}, {greeted}", figures.calls), "all", all_greeted),
        row("questions asked, answered", format!("{asked}, {answered}"), "all", all_answered),
        row("complaints, answers cut short", format!("{complaints}, {cut}"), "none", uncut),
    ]
}

fn times(figures: &Figures) -> Vec<Row> {
    let at = |share| match figures.added.quantile(share) {
        Some(Duration::MAX) => "more".to_owned(),
        Some(added) => format!("<= {:.2} ms", added.as_secs_f64() * 1_000.0),
        None => "unknown".to_owned(),
    };
    let (half, most) = ADDED_GOALS;
    let goal = format!("p50 <= {} ms, p99 <= {} ms", half.as_millis(), most.as_millis());
    let heard = figures.tales.iter().flat_map(|tale| &tale.responses_ms);
    let heard = quantiles(heard.map(|&ms| Duration::from_millis(ms)));
    vec![
        shown("engine-added, p50, p99", format!("{}, {}", at(0.5), at(0.99)), goal),
        shown("question to answer, p50/p99/max", heard, "as heard".to_owned()),
    ]
}

fn memory(figures: &Figures) -> Vec<Row> {
    let grown = figures.peak_bytes.saturating_sub(figures.idle.resident_bytes);
    let each = grown / u64::from(figures.calls);
    let all = [figures.idle.resident_bytes, figures.peak_bytes, figures.after.resident_bytes];
    let [idle, peak, after] = all.map(|bytes| bytes / 1_024);
    vec![
        gate(
            "memory for each call",
            format!("{} KiB", each / 1_024),
            &format!("<= {} KiB", CALL_BYTES / 1_024),
            each <= CALL_BYTES,
        ),
        shown("resident idle, peak, after", format!("{idle}, {peak}, {after} KiB"), String::new()),
    ]
}

fn processor(figures: &Figures) -> Vec<Row> {
    let loads = figures.loads;
    let percent = |load: f64| format!("{:.0} %", 100.0 * load);
    let all = [loads.worker, loads.server, loads.callers, loads.simulators].map(percent);
    let minute = 60.0 * loads.worker / f64::from(figures.calls);
    vec![
        shown("processor for a call's minute", format!("{minute:.2} s"), "the worker's".to_owned()),
        shown("  worker, server, callers, simulate", all.join(", "), "of one core".to_owned()),
        shown(
            "  the whole machine",
            percent(loads.machine),
            format!("of {:.0} %", 100.0 * processors()),
        ),
    ]
}

fn rest(figures: &Figures) -> Vec<Row> {
    let (idle, after) = (figures.idle, figures.after);
    let adds_up = |edge: &&Edge| edge.length == 0 && edge.sent == edge.received + edge.dropped();
    let odd = figures.edges.iter().filter(|edge| !adds_up(edge)).map(|edge| edge.edge.as_str());
    let odd: Vec<&str> = odd.collect();
    let sum = |of: fn(&Edge) -> u64| figures.edges.iter().map(of).sum::<u64>();
    let counts = [sum(|edge| edge.sent), sum(|edge| edge.received), sum(Edge::dropped)];
    vec![
        gate("calls left", figures.sessions_after.to_string(), "none", figures.sessions_after == 0),
        gate(
            "messages sent, received, dropped",
            counts.map(|count| count.to_string()).join(", "),
            &if odd.is_empty() { "they add up".to_owned() } else { odd.join(", ") },
            odd.is_empty() && !figures.edges.is_empty(),
        ),
        gate(
            "tasks before, after",
            format!("{}, {}", figures.idle_tasks, figures.tasks_after),
            "no more",
            figures.tasks_after <= figures.idle_tasks,
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
    ]
}

/// How long messages waited on each edge, step by step: p50 and p99 in µs.
pub(crate) fn edges(steps: &[Figures]) -> String {
    let mut text = format!("{:<34}", "wait on each edge, p50/p99, us");
    for figures in steps {
        write!(text, " {:>13}", format!("{} calls", figures.calls)).expect("a string takes all");
    }
    let names = steps.first().into_iter().flat_map(|figures| &figures.edges);
    for name in names.map(|edge| &edge.edge) {
        write!(text, "\n{name:<34}").expect("a string takes all");
        for figures in steps {
            let edge = figures.edges.iter().find(|edge| edge.edge == *name);
            let queue = edge.and_then(|edge| edge.queue_us.p50.zip(edge.queue_us.p99));
            let shown = queue.map_or("-".to_owned(), |(half, most)| format!("{half}/{most}"));
            write!(text, " {shown:>13}").expect("a string takes all");
        }
    }
    text + "\n"
}
