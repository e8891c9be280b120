//! The process under test: the clinic's pipeline, its providers by a script, its database.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use voicegraph_tests::http;
use voicegraph_tests::livekit::{KEY, SECRET, Server};
use voicegraph_tests::program::{Process, Variable};
use voicegraph_tests::scenario::clinic;
use voicegraph_tests::sdk_peer::{Event, SdkPeer};
use voicegraph_tests::sound::Sound;

/// How long the process may take to notice what happened. Only a failing test waits as long.
const NOTICE_LIMIT: Duration = Duration::from_secs(30);

/// Ben Carrow of the sample data: the clinic knows callers by their number.
pub(crate) const BEN: &str = "+441632960102";

/// The clinic's greeting.
pub(crate) const GREETING: &str = "Riverside Clinic, good morning. How can I help you?";

/// A process that is started.
pub(crate) struct Start<'a> {
    /// Where its jobs come from.
    pub(crate) server: &'a Server,
    /// The name that it is dispatched by.
    pub(crate) agent: &'a str,
    /// Its pipelines' folders.
    pub(crate) pipelines: &'a [&'a Path],
    /// The clinic's database.
    pub(crate) database: &'a str,
    /// What callers are heard saying, in order.
    pub(crate) heard: &'a [&'a str],
    /// More of the script.
    pub(crate) script: &'a str,
    /// More arguments.
    pub(crate) more: &'a [&'a str],
}

/// A worker at work.
pub(crate) struct Worker {
    process: Process,
    /// Where its HTTP is served.
    pub(crate) authority: String,
    _folder: TempDir,
}

impl Start<'_> {
    /// Starts it, and waits until jobs may come.
    pub(crate) async fn work(&self) -> Worker {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("script.toml");
        std::fs::write(&script, self.script()).unwrap();
        let url = self.server.url();
        let variables: [Variable<'_>; 7] = [
            ("LIVEKIT_URL", &url),
            ("LIVEKIT_API_KEY", KEY),
            ("LIVEKIT_API_SECRET", SECRET),
            ("LIVEKIT_AGENT_NAME", self.agent),
            ("DATABASE_URL", self.database),
            ("VOICEGRAPH_SCRIPT", script.to_str().unwrap()),
            // However busy the machine is: a server gives a worker that says so nothing.
            ("NUM_CPUS", "1000"),
        ];
        let mut process = Process::start(&self.arguments(), &variables);
        let line = process.line_with("figures at http://").await;
        let authority = line.split("http://").nth(1).and_then(|rest| rest.split(',').next());
        process.line_with("registered with livekit").await;
        Worker { process, authority: authority.unwrap().to_owned(), _folder: folder }
    }

    fn arguments(&self) -> Vec<&str> {
        let fixed = ["--env", "dev", "--listen", "127.0.0.1:0", "--log-format", "json"];
        let log = ["--log", "warn,voicegraph_worker=info"];
        let pipelines = self.pipelines.iter().map(|path| path.to_str().unwrap());
        let given = fixed.into_iter().chain(log).chain(self.more.iter().copied());
        ["worker"].into_iter().chain(pipelines).chain(given).collect()
    }

    /// The demo's voice and pace, for what this caller is heard saying.
    fn script(&self) -> String {
        let heard = self.heard.iter();
        let heard = heard.map(|words| format!("[[deepgram.utterances]]\nheard = \"{words}\"\n"));
        let demo = clinic().join("demo").canonicalize().unwrap();
        let demo = |name: &str| demo.join(name).to_str().unwrap().to_owned();
        let line = |(text, file): (&str, &str)| {
            let file = demo(file);
            format!("[[cartesia.lines]]\ntext = \"{text}\"\nspeech = \"{file}\"\n")
        };
        let lines = [(GREETING, "agent-greeting.wav"), (HOURS, "agent-hours.wav")].map(line);
        let (heard, lines): (String, String) = (heard.collect(), lines.concat());
        let rule = format!("[[openai.rules]]\nuser = \"open this week\"\nreply = \"{HOURS}\"\n");
        format!("{PROVIDERS}{heard}{rule}{lines}{}", self.script)
    }
}

/// How providers behave.
const PROVIDERS: &str = r#"
[deepgram]
final_delay_ms = 150
after_last = "silence"

[openai]
first_token_ms = 250
token_ms = 5

[cartesia]
first_byte_ms = 90
chunk_ms = 40
speed = 10.0
"#;

/// What the model says of the opening hours.
pub(crate) const HOURS: &str = "We are open Monday to Friday from eight to six, and on Saturday \
     from nine to noon. On Sundays the clinic is closed, and in an emergency you can always call \
     the hospital across the street.";

impl Worker {
    /// Waits until it carries out so many jobs, as it says itself.
    pub(crate) async fn until_busy(&self, jobs: u64) {
        until_busy(&self.authority, jobs).await;
    }

    /// The mean of one of its histograms, in s.
    pub(crate) async fn mean(&self, histogram: &str) -> f64 {
        let text = http::get(&self.authority, "/metrics").await.body;
        let sum = |suffix: &str| {
            let name = format!("{histogram}_{suffix}");
            let lines = text.lines().filter(|line| line.starts_with(&name));
            let values = lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok());
            values.sum::<f64>()
        };
        sum("sum") / sum("count")
    }

    /// The next line of its log with `part` in it.
    pub(crate) async fn says(&mut self, part: &str) -> String {
        self.process.line_with(part).await
    }

    /// Asks it to end, and gives its goodbye.
    pub(crate) async fn end(mut self) -> String {
        self.process.terminate().await;
        let goodbye = self.process.line_with("goodbye: ").await;
        let code: ExitStatus = self.process.ended().await;
        assert_eq!(code.code(), Some(0), "{goodbye}");
        goodbye
    }
}

/// Waits until the worker there carries out so many jobs. None are left out, as all zeros are.
pub(crate) async fn until_busy(authority: &str, jobs: u64) {
    let is = |worker: &Value| worker["active_jobs"].as_f64().unwrap_or(0.0) as u64 == jobs;
    http::until(authority, "/worker", NOTICE_LIMIT, is).await;
}

/// The clinic's folder.
pub(crate) fn pipeline() -> PathBuf {
    clinic().canonicalize().unwrap()
}

/// The sound of a line of the demo's caller, counted from 0.
pub(crate) fn line(number: usize) -> Sound {
    let voice = Sound::read(&clinic().join("demo/caller.wav")).remove(0);
    let (from, to) = [(0, 2_041), (2_541, 4_947), (5_447, 6_865), (7_365, 8_387)][number];
    voice.part(from, to)
}

/// Waits until the agent's words, as they are told, contain this, and gives its identity.
pub(crate) async fn agent_says(caller: &SdkPeer, words: &str) -> String {
    let said = |event| match event {
        Event::Words { text, from, .. } => {
            (from.starts_with("agent-") && text.contains(words)).then_some(from)
        }
        _ => None,
    };
    caller.event(words, said).await
}
