//! What a step came to.

use std::time::Duration;

use voicegraph_benches::server::Edge;
use voicegraph_tests::proc::Held;

use crate::conversation::Tale;

/// Which step of the climb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Each call must be answered.
    First,
    /// Looks for what is too much.
    Later,
}

/// All that was measured with so many calls at once.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) calls: u32,
    pub(crate) step: Step,
    pub(crate) tales: Vec<Tale>,
    /// What the worker held before the calls and after.
    pub(crate) idle: Held,
    pub(crate) after: Held,
    /// Its tasks, the same way.
    pub(crate) idle_tasks: u64,
    pub(crate) tasks_after: u64,
    /// The most memory that it held meanwhile.
    pub(crate) peak_bytes: u64,
    pub(crate) sessions_after: u32,
    /// Over the worker's life; the warm-up's call is in it.
    pub(crate) edges: Vec<Edge>,
    /// What the engine added to the turns of these calls.
    pub(crate) added: Added,
    /// Turns that ended otherwise than with their whole answer.
    pub(crate) cut_turns: u64,
    /// While all calls were on.
    pub(crate) loads: Loads,
}

/// Processor time for each second: 1 is a core.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loads {
    pub(crate) worker: f64,
    pub(crate) server: f64,
    pub(crate) callers: f64,
    pub(crate) simulators: f64,
    /// All of the machine's, these four and whatever else runs.
    pub(crate) machine: f64,
}

/// How many turns the engine added at most so much to: bounds rising, counts too.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Added(Vec<(f64, u64)>);

/// The metric that says it.
const ADDED: &str = "voicegraph_turn_engine_added_seconds_bucket";

/// Turns by outcome.
const TURNS: &str = "voicegraph_turns_total";

impl Added {
    /// What `/metrics` say.
    pub(crate) fn read(metrics: &str) -> Self {
        let bucket = |line: &str| {
            let bound = line.strip_prefix(ADDED)?.split_once("le=\"")?.1.split_once('"')?.0;
            let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse().ok()? };
            Some((bound, value(line)? as u64))
        };
        let mut buckets: Vec<_> = metrics.lines().filter_map(bucket).collect();
        buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
        Self(buckets)
    }

    /// What came after `before`.
    pub(crate) fn since(&self, before: &Self) -> Self {
        let at = |bound| before.0.iter().find(|one| one.0 == bound).map_or(0, |one| one.1);
        Self(self.0.iter().map(|&(bound, count)| (bound, count - at(bound))).collect())
    }

    /// How many turns.
    pub(crate) fn count(&self) -> u64 {
        self.0.last().map_or(0, |&(_, count)| count)
    }

    /// At most this was added to that share of the turns: the bound of a bucket. `None` without
    /// turns.
    pub(crate) fn quantile(&self, share: f64) -> Option<Duration> {
        let all = self.count();
        let wanted = (share * all as f64).ceil() as u64;
        let (bound, _) = self.0.iter().find(|(_, count)| all > 0 && *count >= wanted)?;
        Some(Duration::try_from_secs_f64(*bound).unwrap_or(Duration::MAX))
    }
}

/// Turns that did not end with their whole answer, as `/metrics` say.
pub(crate) fn cut_turns(metrics: &str) -> u64 {
    let cut = |line: &&str| line.starts_with(TURNS) && !line.contains("outcome=\"completed\"");
    metrics.lines().filter(cut).filter_map(value).map(|count| count as u64).sum()
}

/// The value of the gauge `name` in `/metrics`.
pub(crate) fn gauge(metrics: &str, name: &str) -> Option<f64> {
    let is_it = |line: &&str| line.split([' ', '{']).next() == Some(name);
    metrics.lines().find(is_it).and_then(value)
}

/// What stands at a line's end.
fn value(line: &str) -> Option<f64> {
    line.rsplit_once(' ')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const METRICS: &str = "\
# TYPE voicegraph_turns_total counter
voicegraph_turns_total{outcome=\"completed\",pipeline=\"clinic\"} 7
voicegraph_turns_total{outcome=\"interrupted\",pipeline=\"clinic\"} 2
voicegraph_turn_engine_added_seconds_bucket{pipeline=\"clinic\",le=\"0.001\"} 90
voicegraph_turn_engine_added_seconds_bucket{pipeline=\"clinic\",le=\"0.005\"} 99
voicegraph_turn_engine_added_seconds_bucket{pipeline=\"clinic\",le=\"+Inf\"} 100
voicegraph_worker_tasks 12
";

    #[test]
    fn quantiles_are_the_bounds_of_buckets() {
        let added = Added::read(METRICS);
        assert_eq!(added.quantile(0.5), Some(Duration::from_millis(1)));
        assert_eq!(added.quantile(0.99), Some(Duration::from_millis(5)));
        assert_eq!(added.quantile(1.0), Some(Duration::MAX));
        assert_eq!((added.count(), added.since(&added).quantile(0.5)), (100, None));
        assert_eq!(added.since(&Added::default()), added);
    }

    #[test]
    fn figures_are_read_by_their_names() {
        assert_eq!(
            (cut_turns(METRICS), gauge(METRICS, "voicegraph_worker_tasks")),
            (2, Some(12.0))
        );
        assert_eq!(gauge(METRICS, "voicegraph_worker"), None);
    }
}
