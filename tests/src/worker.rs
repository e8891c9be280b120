//! `voicegraph worker` as a process of its own, on free ports, with a database and a script's
//! providers, and what it tells of itself.

use std::fmt;

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::http::{self, Answer};
use crate::livekit::{KEY, LIMIT, SECRET};
use crate::poll::poll;
use crate::program::{Process, Variable};
use crate::sample::Sample;

/// The clinic's folder, from the workspace's.
pub const CLINIC: &str = "pipelines/clinic";

/// How a worker is started.
#[derive(Clone, Debug)]
pub struct Setup<'a> {
    /// The server's URL.
    pub url: &'a str,
    /// By which name jobs are dispatched to it; without one it gets a job for each new room.
    pub agent: &'a str,
    /// The folders of its pipelines.
    pub pipelines: &'a [&'a str],
    /// Its database; without one it gets a [`Sample`] of its own.
    pub database: Option<&'a str>,
    /// The script of the providers that are simulated in its process; empty for the demo's.
    pub script: String,
    /// More variables, which count more than those that lead to the above.
    pub variables: &'a [Variable<'a>],
    /// More arguments.
    pub more: &'a [&'a str],
    /// The words before the program's name: `ip netns exec NAME`. They must end in an `exec`.
    pub under: &'a [&'a str],
}

impl<'a> Setup<'a> {
    /// The clinic, without more.
    pub fn new(url: &'a str, agent: &'a str) -> Self {
        Self {
            url,
            agent,
            pipelines: &[CLINIC],
            database: None,
            script: String::new(),
            variables: &[],
            more: &[],
            under: &[],
        }
    }

    fn arguments(&self) -> Vec<&'a str> {
        let fixed = ["--env", "dev", "--listen", "127.0.0.1:0"];
        [&["worker"], self.pipelines, &fixed, self.more].concat()
    }
}

/// A running worker. Dropping it kills it.
pub struct Worker {
    /// Its process. The log is JSON; the lines of the worker's own crate are all in it.
    pub process: Process,
    /// Where its HTTP is served.
    pub authority: String,
    sample: Option<Sample>,
    under: Vec<String>,
    _folder: TempDir,
}

impl Worker {
    /// Starts one, and waits until the server dispatches to it.
    ///
    /// # Panics
    /// Where it does not come to that in time.
    pub async fn start(setup: Setup<'_>) -> Self {
        let folder = tempfile::tempdir().expect("there is room for temporary files");
        let path = folder.path().join("script.toml");
        let sample = if setup.database.is_none() { Some(Sample::new().await) } else { None };
        let given = setup.database.or(sample.as_ref().map(Sample::url));
        let mut variables = vec![
            ("LIVEKIT_URL", setup.url),
            ("LIVEKIT_API_KEY", KEY),
            ("LIVEKIT_API_SECRET", SECRET),
            ("LIVEKIT_AGENT_NAME", setup.agent),
            // However busy the machine is: a server gives a worker that says so nothing.
            ("NUM_CPUS", "1000"),
            ("VOICEGRAPH_LOG", "error,voicegraph_worker=info"),
            ("VOICEGRAPH_LOG_FORMAT", "json"),
            ("DATABASE_URL", given.expect("there is one or the other")),
        ];
        if !setup.script.is_empty() {
            std::fs::write(&path, &setup.script).expect("there is room for temporary files");
            variables.push(("VOICEGRAPH_SCRIPT", path.to_str().expect("its path is text")));
        }
        variables.extend(setup.variables);
        let mut process = Process::start_under(setup.under, &setup.arguments(), &variables);
        let authority = process.address("figures at http://").await;
        let under = setup.under.iter().copied().map(str::to_owned).collect();
        let worker = Self { process, authority, sample, under, _folder: folder };
        worker.until("readiness", |it| it.of("voicegraph_worker_ready") == 1.0).await;
        worker
    }

    /// The database that it got.
    ///
    /// # Panics
    /// Where the setup named another.
    pub fn sample(&self) -> &Sample {
        self.sample.as_ref().expect("it has a database of its own")
    }

    /// What `path` answers. From where the worker is, which may be out of the test's reach.
    ///
    /// # Panics
    /// Where it does not in time.
    pub async fn get(&self, path: &str) -> Answer {
        let Some(program) = self.under.first() else {
            return http::get(&self.authority, path).await;
        };
        let url = format!("http://{}{path}", self.authority);
        let mut command = Command::new(program);
        command.args(&self.under[1..]).args(["curl", "--silent", "--include", "--max-time", "10"]);
        let output = command.arg(url).output().await.expect("curl was found");
        let answer = String::from_utf8(output.stdout).expect("it answers in text");
        Answer::parse(&answer).unwrap_or_else(|| panic!("no answer to {path}: {answer:?}"))
    }

    /// Its figures. They are many, and take their time: none are asked for while sound is measured.
    pub async fn figures(&self) -> Figures {
        Figures(self.get("/metrics").await.body)
    }

    /// Waits until its figures `hold`.
    ///
    /// # Panics
    /// Where they do not in time: the message says `what` was waited for.
    pub async fn until(&self, what: &str, hold: impl Fn(&Figures) -> bool) -> Figures {
        let mut last = Figures(String::new());
        let found = poll(LIMIT, async || {
            last = self.figures().await;
            hold(&last).then_some(())
        });
        let found = found.await;
        assert!(found.is_some(), "{what} did not come within {LIMIT:?}: {last:#?}");
        last
    }

    /// How many calls LiveKit's own endpoint tells.
    pub async fn active_jobs(&self) -> u32 {
        active_jobs(&self.get("/worker").await.json())
    }

    /// Waits until that are so many.
    ///
    /// # Panics
    /// Where they are not in time.
    pub async fn until_busy(&self, jobs: u32) {
        let mut last = 0;
        let found = poll(LIMIT, async || {
            last = self.active_jobs().await;
            (last == jobs).then_some(())
        });
        let found = found.await;
        assert!(found.is_some(), "{last} calls instead of {jobs} after {LIMIT:?}");
    }

    /// Waits until no call is left, by every figure that tells of calls.
    ///
    /// # Panics
    /// Where one is left for too long.
    pub async fn until_empty(&self) {
        self.until_busy(0).await;
        let empty = |it: &Figures| {
            it.of("voicegraph_worker_jobs") == 0.0 && it.of("voicegraph_sessions") == 0.0
        };
        self.until("the end of all calls", empty).await;
        assert_eq!(self.active_jobs().await, 0);
    }

    /// Why the next call ended, as the log says: its short name, and in words.
    ///
    /// # Panics
    /// Where none does in time.
    pub async fn left(&mut self) -> (String, String) {
        let line = self.process.line_within("\"left the room\"", LIMIT).await;
        let line: Value = serde_json::from_str(&line).expect("the log is JSON");
        let field = |name: &str| line["fields"][name].as_str().expect("it is text").to_owned();
        (field("end"), field("reason"))
    }

    /// Asks it to end, and gives its goodbye.
    ///
    /// # Panics
    /// Where it does not end well and in time.
    pub async fn end(&mut self) -> String {
        self.process.terminate().await;
        let goodbye = self.process.line_with("goodbye: ").await;
        assert_eq!(self.process.ended().await.code(), Some(0), "{goodbye}");
        goodbye
    }
}

/// The calls in what `/worker` tells, which leaves zeros out.
///
/// # Panics
/// Where they are no number.
pub fn active_jobs(told: &Value) -> u32 {
    told.get("active_jobs").map_or(0, |jobs| jobs.as_f64().expect("a number") as u32)
}

/// What a worker tells at `/metrics`.
pub struct Figures(pub String);

/// The lines that tell of calls: a failing test need not show all.
impl fmt::Debug for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tells = |line: &&str| {
            line.starts_with("voicegraph_worker") || line.starts_with("voicegraph_sessions")
        };
        f.debug_list().entries(self.0.lines().filter(tells)).finish()
    }
}

impl Figures {
    /// The sum of a family's series.
    ///
    /// # Panics
    /// Where one has no number.
    pub fn of(&self, family: &str) -> f64 {
        let is_one = |line: &&str| {
            line.strip_prefix(family).is_some_and(|rest| rest.starts_with([' ', '{']))
        };
        let values = self.0.lines().filter(is_one).filter_map(|line| line.rsplit(' ').next());
        values.map(|value| value.parse::<f64>().expect("a number")).sum()
    }

    /// The mean of a histogram; NaN where it is empty.
    pub fn mean(&self, histogram: &str) -> f64 {
        self.of(&format!("{histogram}_sum")) / self.of(&format!("{histogram}_count"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_the_sum_of_its_series_and_no_others() {
        let text = "# TYPE a_seconds histogram\na_seconds_sum{p=\"x\"} 1.5\na_seconds_sum{p=\"y\"} \
                    0.5\na_seconds_count{p=\"x\"} 3\na_seconds_count{p=\"y\"} 1\nb 7\nb_more 1\n";
        let figures = Figures(text.to_owned());
        assert_eq!((figures.of("b"), figures.of("a_seconds_sum")), (7.0, 2.0));
        assert_eq!(figures.mean("a_seconds"), 0.5);
        assert!(figures.mean("c").is_nan());
    }

    #[test]
    fn a_worker_without_calls_does_not_say_so() {
        assert_eq!(active_jobs(&serde_json::json!({ "worker_type": "JT_ROOM" })), 0);
        assert_eq!(active_jobs(&serde_json::json!({ "active_jobs": 2.0 })), 2);
    }
}
