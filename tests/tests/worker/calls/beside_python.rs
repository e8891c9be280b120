//! Our worker and the official Python SDK's on one server: each is called by its own name.

use std::path::Path;

use tempfile::TempDir;
use tokio::process::Command;
use voicegraph_tests::livekit::{KEY, LIMIT, SECRET, Server};
use voicegraph_tests::program::Process;
use voicegraph_tests::sdk_peer::{Event, SdkPeer};
use voicegraph_tests::worker::{Setup, Worker, active_jobs};
use voicegraph_tests::{http, python, workspace};

use super::seen::agent_says;
use crate::clinic::{GREETING, heard};
use crate::site::{Site, against_both};

against_both!(each_answers_its_own_name);

/// A worker of the official SDK, with the agent of `tests/agent-sdk`.
struct Official {
    process: Process,
    /// Where its HTTP is served.
    authority: String,
    _home: TempDir,
}

impl Official {
    /// Starts it, and waits until jobs may come. `None`, and `suite` is noted as skipped, where
    /// there is no Python that can have the SDK.
    async fn work(suite: &str, server: &Server, agent: &str) -> Option<Self> {
        let folder = workspace::root().join("tests/agent-sdk");
        let Some(python) = python::environment(&folder).await else {
            workspace::skip(suite, "no python3 with venv");
            return None;
        };
        let home = tempfile::tempdir().unwrap();
        let mut process = Process::start_other(command(&python, &folder, server, agent, &home));
        let line = process.line_with("HTTP server listening on ").await;
        let authority = line.split("listening on ").nth(1).unwrap();
        let is_end = |it: char| !(it.is_ascii_digit() || it == '.' || it == ':');
        let authority = authority.split(is_end).next().unwrap().to_owned();
        process.line_with("registered worker").await;
        Some(Self { process, authority, _home: home })
    }

    /// Waits until it carries out so many jobs.
    async fn until_busy(&self, jobs: u32) {
        http::until(&self.authority, "/worker", LIMIT, |told| active_jobs(told) == jobs).await;
    }

    async fn end(self) {
        self.process.end().await;
    }
}

/// It finds nothing of the developer's, as our own program does.
fn command(python: &Path, folder: &Path, server: &Server, agent: &str, home: &TempDir) -> Command {
    let mut command = Command::new(python);
    command.arg(folder.join("agent.py")).arg("start").env_clear();
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("HOME", home.path());
    command.env("LIVEKIT_URL", server.url()).env("LIVEKIT_AGENT_NAME", agent);
    command.env("LIVEKIT_API_KEY", KEY).env("LIVEKIT_API_SECRET", SECRET);
    command
}

async fn each_answers_its_own_name(site: Site) {
    let name = format!("{}-official", site.name);
    let official = Official::work(site.name, site.server, &name).await;
    let Some(official) = official else { return };
    let (url, script) = (site.server.url(), heard(&[], ""));
    let mut ours = Worker::start(Setup { script, ..Setup::new(&url, site.name) }).await;
    let ada = call(&site, "ada", &name).await;
    agent_says(&ada, &format!("I am {name}, and you are ada.")).await;
    is_heard(&ada).await;
    official.until_busy(1).await;
    ours.until_busy(0).await;

    let bob = call(&site, "bob", site.name).await;
    agent_says(&bob, GREETING).await;
    is_heard(&bob).await;
    ours.until_busy(1).await;
    same_shapes(&official, &ours).await;
    for caller in [&ada, &bob] {
        caller.leave().await;
    }
    ours.until_busy(0).await;
    official.until_busy(0).await;
    let goodbye = ours.end().await;
    assert!(goodbye.contains("1 calls ended well, 0 failed, 0 were cut"), "{goodbye}");
    official.end().await;
}

/// Joins a room of its own, into which `agent` is called.
async fn call(site: &Site, identity: &str, agent: &str) -> SdkPeer {
    let room = format!("{}-{identity}", site.name);
    let caller = SdkPeer::join(site.name, site.server, &room, identity).await;
    let caller = caller.expect("the agent's SDK is there, so the caller's is");
    caller.follow("lk.transcription").await;
    for track in ["tone", "roomio_audio"] {
        caller.meter_each(20, track).await;
    }
    site.api().dispatch(agent, &room, "").await;
    caller
}

async fn is_heard(caller: &SdkPeer) {
    let loud = |event| match event {
        Event::Level { rms, .. } => (rms > 300.0).then_some(()),
        _ => None,
    };
    caller.event("the agent's sound", loud).await;
}

/// Who asks workers how they are needs not know whose they are: both carry out one job.
async fn same_shapes(official: &Official, ours: &Worker) {
    let told = async |authority: &str| http::get(authority, "/worker").await.json();
    let (theirs, our) = (told(&official.authority).await, told(&ours.authority).await);
    for key in ["worker_type", "active_jobs", "protocol_version"] {
        assert_eq!(theirs[key], our[key], "{theirs:#} and {our:#}");
    }
    for authority in [&official.authority, &ours.authority] {
        let health = http::get(authority, "/").await;
        assert_eq!((health.status, health.body.as_str()), (200, "OK"));
    }
}
