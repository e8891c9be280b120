//! A worker's process, and what it tells of itself over HTTP.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::{interval, timeout};
use voicegraph_tests::http::{self, Answer};
use voicegraph_tests::livekit::{KEY, LIMIT, SECRET};
use voicegraph_tests::program::{Process, Variable};
use voicegraph_tests::sample::Sample;
use voicegraph_tests::scenario::clinic;

/// What the recogniser understands, however often something is said.
pub(super) const QUESTION: &str = "When are you open this week?";
const UTTERANCES: usize = 40;

/// How often a figure is looked at until it is what is waited for.
pub(super) const STEP: Duration = Duration::from_millis(50);

/// How a worker is started.
#[derive(Clone, Copy)]
pub(super) struct Setup<'a> {
    /// The server.
    pub(super) url: &'a str,
    /// By which name jobs are dispatched to it.
    pub(super) agent: &'a str,
    /// More arguments.
    pub(super) more: &'a [&'a str],
    /// More variables; they count more than the sample database and the simulated providers.
    pub(super) variables: &'a [Variable<'a>],
    /// More of the script that the simulated providers follow.
    pub(super) script: &'a str,
    /// The words before the program's name.
    pub(super) under: &'a [&'a str],
}

impl<'a> Setup<'a> {
    /// Without more.
    pub(super) fn new(url: &'a str, agent: &'a str) -> Self {
        Self { url, agent, more: &[], variables: &[], script: "", under: &[] }
    }
}

/// A running worker of the clinic. Dropping it kills it.
pub(super) struct Worker {
    pub(super) process: Process,
    pub(super) id: u32,
    /// The clinic's database, where the setup names no other.
    pub(super) sample: Sample,
    authority: String,
    under: Vec<String>,
    _folder: TempDir,
}

impl Worker {
    /// Starts one, and waits until it gets jobs.
    pub(super) async fn start(setup: Setup<'_>) -> Self {
        let Setup { url, agent, more, variables, under, .. } = setup;
        let (sample, folder) = (Sample::new().await, tempfile::tempdir().unwrap());
        let script = folder.path().join("script.toml");
        std::fs::write(&script, self::script() + setup.script).unwrap();
        let own = [
            ("LIVEKIT_URL", url),
            ("LIVEKIT_API_KEY", KEY),
            ("LIVEKIT_API_SECRET", SECRET),
            ("LIVEKIT_AGENT_NAME", agent),
            // The machine is busy with other tests: what that makes of the load does not matter.
            ("NUM_CPUS", "1000"),
            ("VOICEGRAPH_LOG", "error,voicegraph_worker=info"),
            ("VOICEGRAPH_LOG_FORMAT", "json"),
            ("VOICEGRAPH_SCRIPT", script.to_str().unwrap()),
            sample.variable(),
        ];
        let fixed = ["worker", "pipelines/clinic", "--env", "dev", "--listen", "127.0.0.1:0"];
        let arguments = [&fixed, more].concat();
        let mut process = Process::start_under(under, &arguments, &[&own, variables].concat());
        let line = process.line_with("figures at http://").await;
        let authority = line.split("http://").nth(1).and_then(|rest| rest.split(',').next());
        let authority = authority.expect("it says where").to_owned();
        let under = under.iter().copied().map(str::to_owned).collect();
        let id = process.id();
        let worker = Self { process, id, sample, authority, under, _folder: folder };
        worker.until("registration", |it| it.of("voicegraph_worker_registered") == 1.0).await;
        worker
    }

    /// What `path` answers. From where the worker is, which may be out of the test's reach.
    pub(super) async fn get(&self, path: &str) -> Answer {
        if self.under.is_empty() {
            return http::get(&self.authority, path).await;
        }
        let url = format!("http://{}{path}", self.authority);
        let mut command = Command::new(&self.under[0]);
        command.args(&self.under[1..]).args(["curl", "--silent", "--include", "--max-time", "10"]);
        let output = command.arg(url).output().await.expect("curl was found");
        let answer = String::from_utf8(output.stdout).expect("it answers in text");
        let (head, body) = answer.split_once("\r\n\r\n").expect("it speaks HTTP");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Answer { status: status.unwrap(), head: head.to_lowercase(), body: body.to_owned() }
    }

    /// Its figures.
    pub(super) async fn figures(&self) -> Figures {
        Figures(self.get("/metrics").await.body)
    }

    /// How many calls LiveKit's own endpoint tells: zero is left out there.
    pub(super) async fn active_jobs(&self) -> u32 {
        let told: Value = self.get("/worker").await.json();
        told.get("active_jobs").map_or(0, |jobs| jobs.as_f64().unwrap() as u32)
    }

    /// Waits until its figures `hold`.
    pub(super) async fn until(&self, what: &str, hold: impl Fn(&Figures) -> bool) -> Figures {
        let mut last = Figures(String::new());
        let looking = async {
            let mut steps = interval(STEP);
            loop {
                steps.tick().await;
                last = self.figures().await;
                if hold(&last) {
                    return;
                }
            }
        };
        let found = timeout(LIMIT, looking).await;
        assert!(found.is_ok(), "{what} did not come within {LIMIT:?}: {last:#?}");
        last
    }

    /// Why the next call ended, as the log says: its short name, and in words.
    pub(super) async fn left(&mut self) -> (String, String) {
        let line = self.process.line_within("\"left the room\"", LIMIT).await;
        let line: Value = serde_json::from_str(&line).expect("the log is JSON");
        let field = |name: &str| line["fields"][name].as_str().expect("it is text").to_owned();
        (field("end"), field("reason"))
    }

    /// Waits until no call is left, by every figure that tells of calls.
    pub(super) async fn until_empty(&self) {
        let empty = |it: &Figures| {
            it.of("voicegraph_worker_jobs") == 0.0 && it.of("voicegraph_sessions") == 0.0
        };
        self.until("the end of all calls", empty).await;
        assert_eq!(self.active_jobs().await, 0);
    }
}

/// What a worker tells at `/metrics`.
pub(super) struct Figures(String);

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
    pub(super) fn of(&self, family: &str) -> f64 {
        let is_one = |line: &&str| {
            line.strip_prefix(family).is_some_and(|rest| rest.starts_with([' ', '{']))
        };
        let values = self.0.lines().filter(is_one).filter_map(|line| line.rsplit(' ').next());
        values.map(|value| value.parse::<f64>().expect("a number")).sum()
    }
}

/// The demo's script, and a caller who may ask one question again and again.
fn script() -> String {
    let demo: PathBuf = clinic().join("demo");
    let script = std::fs::read_to_string(demo.join("script.toml")).unwrap();
    let script = script.replace("speech = \"", &format!("speech = \"{}/", demo.display()));
    let question = format!("[[deepgram.utterances]]\nheard = \"{QUESTION}\"\n");
    script + &question.repeat(UTTERANCES)
}
