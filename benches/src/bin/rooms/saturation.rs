//! Whether a step is more than the machine carries, and what gives way.

use std::time::Duration;

use crate::figures::{Figures, Loads};

/// What the engine may add to half of the turns, and to 99 % of them: the goals of `load`.
pub(crate) const ADDED_GOALS: (Duration, Duration) =
    (Duration::from_millis(1), Duration::from_millis(5));

/// The 99th percentile of fewer turns is the worst of them, which tells of a moment.
const MANY_TURNS: u64 = 100;

/// From this share of all processors on, work waits for work.
const BUSY: f64 = 0.9;

/// What gives way; empty where nothing does.
pub(crate) fn signs(figures: &Figures) -> Vec<String> {
    let signs = [unanswered(figures), slow(figures), busy(figures.loads, processors())];
    signs.into_iter().flatten().collect()
}

/// The most calls that were carried before anything gave way, and what did then.
pub(crate) fn summary(steps: &[Figures]) -> String {
    let saturated = steps.iter().position(|figures| !signs(figures).is_empty());
    let carried = steps[..saturated.unwrap_or(steps.len())].last().map_or(0, |step| step.calls);
    let first = saturated.map(|at| (steps[at].calls, signs(&steps[at]).join("; ")));
    match first {
        Some((calls, why)) => format!("{carried} calls are carried; at {calls}: {why}"),
        None => format!("{carried} calls are carried, and nothing gives way"),
    }
}

fn unanswered(figures: &Figures) -> Option<String> {
    let complaints = figures.tales.iter().filter(|tale| tale.complaint.is_some()).count();
    let cut = figures.cut_turns;
    let wrong = complaints > 0 || cut > 0;
    wrong.then(|| format!("{complaints} calls went wrong, {cut} answers were cut short"))
}

fn slow(figures: &Figures) -> Option<String> {
    let (half, most) = ADDED_GOALS;
    let above = |share, goal| figures.added.quantile(share).is_some_and(|added| added > goal);
    let many = figures.added.count() >= MANY_TURNS;
    let slow = above(0.5, half) || (many && above(0.99, most));
    slow.then(|| "engine-added latency is above its goal".to_owned())
}

fn busy(loads: Loads, processors: f64) -> Option<String> {
    let Loads { worker, server, callers, simulators, machine } = loads;
    let named = [
        ("the worker", worker),
        ("livekit-server", server),
        ("the callers", callers),
        ("the simulators", simulators),
        ("something else on the machine", machine - worker - server - callers - simulators),
    ];
    let (name, load) = named.into_iter().max_by(|one, other| one.1.total_cmp(&other.1))?;
    let percent = 100.0 * machine / processors;
    (machine >= BUSY * processors).then(|| {
        format!("the processors are {percent:.0} % busy, most of all with {name} ({load:.2} cores)")
    })
}

/// How many there are.
pub(crate) fn processors() -> f64 {
    std::thread::available_parallelism().map_or(1.0, |count| count.get() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_processors_are_told_with_who_takes_most() {
        let loads =
            Loads { worker: 0.9, server: 0.5, callers: 0.4, simulators: 0.05, machine: 1.9 };
        let told = busy(loads, 2.0).unwrap();
        assert_eq!(told, "the processors are 95 % busy, most of all with the worker (0.90 cores)");
        assert_eq!(busy(loads, 4.0), None);
        assert!(busy(Loads { machine: 3.0, ..loads }, 2.0).unwrap().contains("something else"));
    }
}
