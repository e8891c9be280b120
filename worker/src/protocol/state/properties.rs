//! What holds in whatever order things happen: no place leaks, no job is started twice, each ends
//! exactly once.

use std::collections::BTreeMap;
use std::time::Duration;

use livekit_protocol as proto;
use proptest::prelude::*;
use proto::worker_message::Message as ToServer;

use super::machine::Input;
use super::testing::{Bench, profile};
use crate::job::JobEnd;

/// So many jobs are about, fewer than meet by chance.
const JOBS: u8 = 6;

const PLACES: u32 = 3;

#[derive(Clone, Copy, Debug)]
enum Step {
    Ask(u8),
    Assign(u8),
    Terminate(u8),
    End(u8, bool),
    Pass(u16),
    Lose { unsent: usize },
    Open,
    OpenFailed,
    Register,
    Undecodable,
    Load(f32),
    Drain,
    Cut,
}

fn step() -> impl Strategy<Value = Step> {
    let job = 0..JOBS;
    prop_oneof![
        8 => job.clone().prop_map(Step::Ask),
        8 => job.clone().prop_map(Step::Assign),
        2 => job.clone().prop_map(Step::Terminate),
        6 => (job, any::<bool>()).prop_map(|(job, well)| Step::End(job, well)),
        4 => (0..20_000_u16).prop_map(Step::Pass),
        2 => (0..4_usize).prop_map(|unsent| Step::Lose { unsent }),
        2 => Just(Step::Open),
        1 => Just(Step::OpenFailed),
        6 => Just(Step::Register),
        1 => Just(Step::Undecodable),
        2 => (0.0..1.0_f32).prop_map(Step::Load),
        1 => Just(Step::Cut),
        1 => prop_oneof![9 => Just(Step::Pass(0)), 1 => Just(Step::Drain)],
    ]
}

/// A bench, and the books of who watches it.
struct Watched {
    bench: Bench,
    starts: BTreeMap<String, u32>,
    ends: BTreeMap<String, u32>,
    /// What reached the server.
    told: Vec<ToServer>,
}

impl Watched {
    fn take(&mut self, step: Step) {
        let before = self.bench.started.len();
        let name = |job: u8| format!("job-{job}");
        match step {
            Step::Ask(job) => self.bench.ask(&name(job)),
            Step::Assign(job) => self.bench.assign(&name(job)),
            Step::Terminate(job) => self.bench.terminate(&name(job)),
            Step::End(job, well) => return self.end(&name(job), well),
            Step::Pass(ms) => self.bench.pass(Duration::from_millis(ms.into())),
            Step::Lose { unsent } => return self.lose(unsent),
            Step::Open => self.bench.on(Input::Opened),
            Step::OpenFailed => self.bench.on(Input::OpenFailed),
            Step::Register => self.bench.register(),
            Step::Undecodable => self.bench.on(Input::Undecodable),
            Step::Load(load) => self.bench.on(Input::Load(load)),
            Step::Drain => self.bench.on(Input::Drain),
            Step::Cut => self.bench.on(Input::Cut),
        }
        for (id, ..) in &self.bench.started[before..] {
            *self.starts.entry(id.clone()).or_default() += 1;
        }
        self.told.append(&mut self.bench.sent);
    }

    fn end(&mut self, id: &str, well: bool) {
        let runs = self.bench.started.iter().any(|(started, ..)| started == id);
        let end = if well { JobEnd::Success } else { JobEnd::Failed("why".to_owned()) };
        self.bench.end(id, end);
        *self.ends.entry(id.to_owned()).or_default() += u32::from(runs);
        self.told.append(&mut self.bench.sent);
    }

    /// The last few messages were not sent after all.
    fn lose(&mut self, unsent: usize) {
        let first = self.told.len().saturating_sub(unsent);
        let unsent = self.told.split_off(first);
        self.bench.on(Input::Lost(unsent));
    }

    /// How often the server was told that the job ended.
    fn told_end(&self, id: &str) -> u32 {
        let is_end = |message: &&ToServer| match message {
            ToServer::UpdateJob(update) => {
                update.job_id == id && update.status() != proto::JobStatus::JsRunning
            }
            _ => false,
        };
        self.told.iter().filter(is_end).count() as u32
    }
}

proptest! {
    #[test]
    fn no_place_leaks_and_each_job_ends_once(steps in prop::collection::vec(step(), 0..200)) {
        let bench = Bench::new(PLACES, profile());
        let (starts, ends) = (BTreeMap::new(), BTreeMap::new());
        let mut watched = Watched { bench, starts, ends, told: Vec::new() };
        for step in steps {
            watched.take(step);
            let bench = &watched.bench;
            let status = bench.state.status(bench.at());
            prop_assert!(bench.taken() <= PLACES);
            prop_assert_eq!(status.active_jobs as usize, bench.started.len());
            prop_assert_eq!(bench.taken(), status.active_jobs + status.waiting_jobs);
        }
        let running: Vec<_> = watched.bench.started.iter().map(|(id, ..)| id.clone()).collect();
        for id in running {
            watched.end(&id, true);
        }
        watched.take(Step::Lose { unsent: 0 });
        watched.take(Step::Register);
        prop_assert_eq!(watched.bench.taken(), 0);
        prop_assert_eq!(&watched.starts, &watched.ends.iter()
            .filter(|(_, count)| **count > 0).map(|(id, count)| (id.clone(), *count)).collect());
        for (id, starts) in &watched.starts {
            prop_assert_eq!(watched.told_end(id), *starts, "{}", id);
        }
    }
}
