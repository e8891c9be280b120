//! What a worker has done, in numbers that only grow, and their text for Prometheus.

use std::fmt::Write;

use super::status::Status;

/// How often what happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Jobs that the server asked about.
    pub offers: u64,
    /// Of these, those that were taken, repeated questions aside.
    pub accepted: u64,
    /// Those that were not.
    pub declined: Declines,
    /// Accepted jobs that became ours.
    pub assigned: u64,
    /// Accepted jobs that did not in time, or before the connection was lost.
    pub expired: u64,
    /// Jobs that ended well.
    pub finished: u64,
    /// Jobs that did not.
    pub failed: u64,
    /// Jobs that the server ended, before or after they began.
    pub terminated: u64,
    /// Messages that had no meaning any more: assignments and terminations of unknown jobs.
    pub ignored: u64,
    /// Frames that were no message, or one that is unknown here.
    pub undecodable: u64,
    /// Reports of ended jobs that were given up, since too many waited for a connection.
    pub untold: u64,
    /// Registrations after the first.
    pub reconnects: u64,
    /// Attempts to connect that came to nothing.
    pub connect_failures: u64,
}

/// Declined jobs by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Declines {
    /// There was no place, or whoever answers had another reason.
    pub answer: u64,
    /// The load was too high.
    pub load: u64,
    /// The worker takes no more jobs.
    pub draining: u64,
}

impl Counts {
    /// Offers that were not taken.
    pub fn declined_total(&self) -> u64 {
        self.declined.answer + self.declined.load + self.declined.draining
    }

    /// Name and help of each counter without labels, and its value.
    fn totals(&self) -> [(&'static str, &'static str, u64); 12] {
        [
            ("offers", "Jobs that the server asked about.", self.offers),
            ("accepted", "Jobs that were taken.", self.accepted),
            ("assigned", "Accepted jobs that were assigned.", self.assigned),
            ("expired", "Accepted jobs that were not assigned in time.", self.expired),
            ("finished", "Jobs that ended well.", self.finished),
            ("failed", "Jobs that failed.", self.failed),
            ("terminated", "Jobs that the server ended.", self.terminated),
            ("ignored", "Messages about unknown jobs.", self.ignored),
            ("undecodable", "Frames that were no known message.", self.undecodable),
            ("untold", "Ends of jobs that the server was never told.", self.untold),
            ("reconnects", "Registrations after the first.", self.reconnects),
            ("connect_failures", "Failed attempts to connect.", self.connect_failures),
        ]
    }
}

/// The worker's families in Prometheus' text format 0.0.4, to stand below the engine's. `tasks` is
/// how many tasks its process has.
pub fn exposition(status: &Status, tasks: usize) -> String {
    let mut text = String::new();
    let mut family = |name: &str, help: &str, kind: &str, series: &[(&str, f64)]| {
        let name = format!("voicegraph_worker_{name}");
        write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n").expect("a string takes all");
        for (labels, value) in series {
            writeln!(text, "{name}{labels} {value}").expect("a string takes all");
        }
    };
    let counts = &status.counts;
    for (name, help, value) in counts.totals() {
        family(&format!("{name}_total"), help, "counter", &[("", value as f64)]);
    }
    let declined = [
        ("{reason=\"answer\"}", counts.declined.answer as f64),
        ("{reason=\"load\"}", counts.declined.load as f64),
        ("{reason=\"draining\"}", counts.declined.draining as f64),
    ];
    family("declined_total", "Jobs that were declined, by reason.", "counter", &declined);
    let registered = f64::from(u8::from(status.worker_id.is_some()));
    family("registered", "1 while the server knows the worker.", "gauge", &[("", registered)]);
    let ready = f64::from(u8::from(status.ready));
    family("ready", "1 while the server dispatches to the worker.", "gauge", &[("", ready)]);
    let full = f64::from(u8::from(status.full));
    family("full", "1 while the worker takes no more jobs.", "gauge", &[("", full)]);
    family("jobs", "Jobs in progress.", "gauge", &[("", f64::from(status.active_jobs))]);
    family("load_ratio", "The load as the server is told.", "gauge", &[("", status.load.into())]);
    family(
        "tasks",
        "Tasks of the process, in calls and beside them.",
        "gauge",
        &[("", tasks as f64)],
    );
    text
}
