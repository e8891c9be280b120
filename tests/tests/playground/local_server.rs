//! The livekit-server that the playground starts by itself.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use livekit::prelude::*;
use voicegraph_playground::LocalServer;
use voicegraph_playground::token::Guest;
use voicegraph_tests::livekit::{Server, Version, within};
use voicegraph_tests::workspace;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_lets_in_who_has_its_keys_and_ends_with_its_owner() {
    let Some(program) = program("playground server") else { return };
    let server = LocalServer::start(&program).await.unwrap();
    let url = server.url();
    let guest = Guest {
        room: "r".to_owned(),
        identity: "ada".to_owned(),
        name: String::new(),
        metadata: String::new(),
        attributes: BTreeMap::new(),
        agents: Vec::new(),
        life: Duration::from_secs(60),
    };
    let token = server.keys().guest(&guest).unwrap();
    let joining = Room::connect(&url, token.expose(), RoomOptions::default());
    let (room, _events) = within("joining", joining).await.unwrap();
    within("leaving", room.close()).await.unwrap();
    drop(server);
    let address = url.strip_prefix("ws://").unwrap();
    let gone = async { while tokio::net::TcpStream::connect(address).await.is_ok() {} };
    within("its end", gone).await;
}

/// The program that the tests have built; `None`, and `suite` is noted as skipped, without Go.
pub(crate) fn program(suite: &str) -> Option<PathBuf> {
    Server::shared(suite, Version::New)?;
    let folder = workspace::target().join("livekit-server");
    let versions = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    let mut built = versions.filter(|path| name(path).starts_with(Version::New.name()));
    built.find_map(|path| Some(path.join("livekit-server")).filter(|it| it.exists()))
}
