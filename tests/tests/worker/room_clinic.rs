//! A job of the agent's, from its offer to its end: the clinic's pipeline in a room, with simulated
//! providers in the same process.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use livekit_protocol::Job;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use voicegraph_engine::config::{self, Sources};
use voicegraph_engine::connect::{Connector, Roots};
use voicegraph_engine::metrics::Metrics;
use voicegraph_engine::runtime::{Admission, Pipeline, Runtime, Runtimes};
use voicegraph_engine::session::Limits;
use voicegraph_simulators::{Folder, Script, Simulators};
use voicegraph_tests::livekit::{LIMIT, Server, Version, agent_token, within};
use voicegraph_tests::scenario::{clinic, simulated};
use voicegraph_tests::sdk_peer::{Event, SdkPeer};
use voicegraph_worker::agent::Agent;
use voicegraph_worker::job::{Answer as _, Assignment, JobEnd};
use voicegraph_worker::room::Settings;

use crate::room::until;
use crate::room_stage::{AGENT, MICROPHONE, VOICE};

/// No call leaves a record, since there is no database; what is given may be more than nothing.
const OVERLAY: &str = r#"
[nodes.booking]
call_records = false

[variables]
visits = { type = "integer", default = 0 }
phone = { type = "string", default = "", attribute = "sip.phoneNumber" }
"#;

/// The clinic, for so many calls at once.
fn agent(max: u32) -> Agent {
    let base = std::fs::read_to_string(clinic().join("pipeline.toml")).unwrap();
    let sources = Sources::from_text(&base, Some(("test", OVERLAY)));
    let compiled = config::compile(&sources, &simulated, &voicegraph_nodes::registry());
    let graph = compiled.unwrap_or_else(|found| panic!("{}", found.to_text(false))).graph;
    let demo: &Path = &clinic().join("demo");
    let script = std::fs::read_to_string(demo.join("script.toml")).unwrap();
    let script = Script::from_toml(&script, &Folder(demo.to_owned())).unwrap();
    let connector = Connector::new(&Roots::Given(Vec::new()));
    let connector = connector.with_simulators(Simulators::new(script).in_process());
    let pipeline = Pipeline::new(Arc::new(graph), &Metrics::new(), "test");
    let admission = Arc::new(Admission::new(max));
    let clock = || SystemTime::UNIX_EPOCH;
    let runtime = Runtime::new(pipeline, connector, clock, admission, Limits::default(), 1);
    Agent::new("clinic", Runtimes::from(Arc::new(runtime)), Settings::default())
}

fn job(metadata: &str) -> Job {
    Job { id: "AJ_test".to_owned(), metadata: metadata.to_owned(), ..Default::default() }
}

#[tokio::test]
async fn a_job_takes_a_place_until_it_is_given_back() {
    let agent = agent(1);
    assert_eq!(agent.places(), (0, 1));
    let accepted = agent.offer(&job("")).unwrap();
    assert_eq!(agent.places(), (1, 1));
    assert_eq!(accepted.participant.identity, "agent-AJ_test");
    assert_eq!(accepted.participant.attributes["lk.agent.name"], "clinic");
    let refused = agent.offer(&job("")).err().unwrap();
    assert_eq!(refused.to_string(), "all 1 places are taken");
    drop(accepted);
    assert_eq!(agent.places(), (0, 1));
}

#[tokio::test]
async fn a_dispatch_that_does_not_fit_is_declined_with_a_reason() {
    let agent = agent(4);
    for (metadata, reason) in [
        ("hello", "metadata is wrong at line 1, column 1: leave it empty, or write"),
        (r#"{"pipeline": "hotel"}"#, "there is no such pipeline: this worker has clinic"),
        (r#"{"variables": {"visit": 1}}"#, "did you mean `visits`?"),
        (r#"{"variables": {"visits": "many"}}"#, "`visits` is a string"),
    ] {
        let declined = agent.offer(&job(metadata)).err().unwrap_or_else(|| panic!("{metadata}"));
        assert!(declined.to_string().contains(reason), "{metadata}: {declined}");
    }
    assert_eq!(agent.places(), (0, 4));
    let asked = r#"{"pipeline": "clinic", "variables": {"visits": 2}}"#;
    assert!(agent.offer(&job(asked)).is_ok());
}

/// The greeting is heard and told; a chat message is answered; the job ends with the caller.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_clinic_answers_in_a_room() {
    let Some(server) = Server::shared("worker clinic", Version::New) else { return };
    let Some(ada) = SdkPeer::join("worker clinic", server, "clinic", "ada").await else { return };
    ada.publish(MICROPHONE, 16_000, 1).await;
    ada.follow("lk.transcription").await;
    ada.meter_each(20, VOICE).await;
    let agent = agent(1);
    let accepted = agent.offer(&job("")).unwrap();
    let assignment = Assignment {
        job: Arc::new(job("")),
        url: server.url(),
        token: agent_token("clinic", &accepted.participant.identity).into(),
        terminated: CancellationToken::new(),
        closed: CancellationToken::new(),
    };
    let running = tokio::spawn((accepted.run)(assignment));

    let loud = |event| match event {
        Event::Level { rms, .. } => (rms > 200.0).then_some(()),
        _ => None,
    };
    ada.event("the greeting's sound", loud).await;
    says(&ada, "Riverside Clinic, good morning. How can I help you?").await;
    ada.send_text("lk.chat", "When are you open this week?").await;
    says(&ada, "We are open Monday to Friday").await;

    let asked = Instant::now();
    ada.call(AGENT, "voicegraph.interrupt", "", LIMIT).await.unwrap();
    let last = |event| match event {
        Event::Words { text, attributes, ended: true, .. } => {
            text.starts_with("We are open").then_some((text, attributes))
        }
        _ => None,
    };
    let (text, attributes) = ada.event("the end of what was said", last).await;
    until(&ada, false).await;
    assert!(asked.elapsed() < Duration::from_secs(1), "silent after {:?}", asked.elapsed());
    assert_eq!(attributes["lk.transcription_final"], "true");
    assert!(!text.contains("hospital"), "only what was spoken is told: {text}");

    ada.leave().await;
    assert_eq!(within("the end", running).await.unwrap(), JobEnd::Success);
    let (taken, _) = agent.places();
    assert_eq!(taken, 0);
}

/// Waits until the agent's words, as they are told, begin like this.
async fn says(ada: &SdkPeer, text: &str) {
    let said = |event| match event {
        Event::Words { text: said, from, .. } => {
            (from.starts_with("agent-") && said.starts_with(text)).then_some(())
        }
        _ => None,
    };
    tokio::time::timeout(Duration::from_secs(60), ada.event(text, said)).await.expect("in time");
}
