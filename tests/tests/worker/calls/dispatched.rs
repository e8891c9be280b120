//! How calls come about: each way of dispatch, with what it chooses and gives.

use std::path::PathBuf;

use serde_json::json;
use tempfile::TempDir;
use voicegraph_tests::agent::Api;
use voicegraph_tests::livekit::{KEY, SECRET, Server, Version};
use voicegraph_tests::program::{self, Variable};
use voicegraph_tests::scenario::clinic;
use voicegraph_tests::sdk_peer::SdkPeer;
use voicegraph_tests::worker::{CLINIC, Setup, Worker};
use voicegraph_tests::workspace;

use super::seen::agent_says;
use crate::clinic::{GREETING, heard};
use crate::site::{Site, against_both};

against_both!(each_explicit_dispatch_begins_a_call);

/// The clinic under another name, which greets by name.
fn reception() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let base = std::fs::read_to_string(clinic().join("pipeline.toml")).unwrap();
    let renamed = base.replace("name = \"clinic\"", "name = \"reception\"");
    let greeting = format!("greeting = \"{GREETING}\"");
    let greets = renamed.replace(&greeting, "greeting = \"Good morning, {{visitor}}.\"");
    assert!(greets.contains("reception") && greets.contains("visitor"));
    let text = format!("{greets}\n[variables.visitor]\ntype = \"string\"\n");
    std::fs::write(folder.path().join("pipeline.toml"), text).unwrap();
    std::fs::copy(clinic().join("dev.toml"), folder.path().join("dev.toml")).unwrap();
    let path = folder.path().to_owned();
    (folder, path)
}

/// What chooses that pipeline, and says who calls.
fn metadata(visitor: &str) -> String {
    json!({ "pipeline": "reception", "variables": { "visitor": visitor } }).to_string()
}

/// What the program is told of the server.
fn keys(url: &str) -> [Variable<'_>; 3] {
    [("LIVEKIT_URL", url), ("LIVEKIT_API_KEY", KEY), ("LIVEKIT_API_SECRET", SECRET)]
}

/// By the server's API, by `voicegraph dispatch`, and by the token of who calls.
async fn each_explicit_dispatch_begins_a_call(site: Site) {
    let (_folder, reception) = reception();
    let url = site.server.url();
    let pipelines = [CLINIC, reception.to_str().unwrap()];
    let script = heard(&[], "");
    let setup = Setup { pipelines: &pipelines, script, ..Setup::new(&url, site.name) };
    let mut worker = Worker::start(setup).await;
    let Some(ada) = by_the_api(&site).await else { return };
    let bob = by_the_program(&site).await;
    let eve = by_the_token(&site).await;
    worker.until_busy(3).await;
    for caller in [&ada, &bob, &eve] {
        caller.leave().await;
    }
    worker.until_busy(0).await;
    let goodbye = worker.end().await;
    assert!(goodbye.contains("3 calls ended well, 0 failed, 0 were cut"), "{goodbye}");
}

async fn join(site: &Site, room: &str, identity: &str) -> Option<SdkPeer> {
    let caller = SdkPeer::join(site.name, site.server, room, identity).await?;
    caller.follow("lk.transcription").await;
    Some(caller)
}

async fn by_the_api(site: &Site) -> Option<SdkPeer> {
    let room = format!("{}-api", site.name);
    let ada = join(site, &room, "ada").await?;
    site.api().dispatch(site.name, &room, &metadata("Ada")).await;
    agent_says(&ada, "Good morning, Ada.").await;
    Some(ada)
}

/// Without metadata the first pipeline answers.
async fn by_the_program(site: &Site) -> SdkPeer {
    let (room, url) = (format!("{}-program", site.name), site.server.url());
    let bob = join(site, &room, "bob").await.expect("ada has what bob needs");
    let arguments = ["dispatch", "--room", &room, "--agent", site.name];
    let made = program::run(&workspace::root(), &arguments, &keys(&url)).await.succeeded();
    let made: serde_json::Value = serde_json::from_str(&made).unwrap();
    assert_eq!((&made["agent_name"], &made["room"]), (&json!(site.name), &json!(room)));
    agent_says(&bob, GREETING).await;
    bob
}

async fn by_the_token(site: &Site) -> SdkPeer {
    let (room, told) = (format!("{}-token", site.name), metadata("Eve"));
    let who = ["token", "--room", &room, "--identity", "eve"];
    let what = ["--agent", site.name, "--metadata", &told];
    let keys = &keys("")[1..];
    let token = program::run(&workspace::root(), &[&who[..], &what].concat(), keys).await;
    let token = token.succeeded();
    let eve = SdkPeer::join_with(site.name, site.server, token.trim()).await;
    let eve = eve.expect("ada has what eve needs");
    eve.follow("lk.transcription").await;
    agent_says(&eve, "Good morning, Eve.").await;
    eve
}

/// On a server of its own: a nameless worker is called into each new room.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_new_room_calls_a_nameless_worker() {
    for version in Version::ALL {
        let Some(server) = Server::start("worker automatic", version) else { return };
        let url = server.url();
        let script = heard(&[], "");
        let mut worker = Worker::start(Setup { script, ..Setup::new(&url, "") }).await;
        let ada = SdkPeer::join("worker automatic", &server, "new", "ada").await;
        let Some(ada) = ada else { return };
        ada.follow("lk.transcription").await;
        agent_says(&ada, GREETING).await;
        let dispatches = Api(&server).dispatches("new").await;
        assert_eq!(dispatches["agent_dispatches"][0]["agent_name"], "", "{dispatches}");
        ada.leave().await;
        worker.until_busy(0).await;
        worker.end().await;
    }
}
