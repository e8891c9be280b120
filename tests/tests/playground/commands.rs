//! `voicegraph token` and `voicegraph dispatch` against a real server.

use livekit::prelude::*;
use serde_json::Value;
use voicegraph_tests::livekit::{KEY, SECRET, Server, Version, within};
use voicegraph_tests::program::{self, Ended};
use voicegraph_tests::workspace;

const SUITE: &str = "playground commands";

/// The exit code of clap where it does not understand.
const MISUSE: i32 = 2;

async fn run_as(secret: &str, arguments: &[&str]) -> Ended {
    let keys = [("LIVEKIT_API_KEY", KEY), ("LIVEKIT_API_SECRET", secret)];
    program::run(&workspace::root(), arguments, &keys).await
}

async fn run(arguments: &[&str]) -> Ended {
    run_as(SECRET, arguments).await
}

fn dispatch<'a>(url: &'a str, room: &'a str) -> Vec<&'a str> {
    vec!["dispatch", "--url", url, "--room", room, "--agent", "nobody", "--metadata", r#"{"a":1}"#]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_joins_with_the_token() {
    let Some(server) = Server::shared(SUITE, Version::New) else { return };
    let token = run(&["token", "--room", "handed", "--identity", "ada"]).await.succeeded();
    let (url, token) = (server.url(), token.trim());
    let joined = within("joining", Room::connect(&url, token, RoomOptions::default())).await;
    let (room, _events) = joined.unwrap();
    assert_eq!(
        (room.name().as_str(), room.local_participant().identity().as_str()),
        ("handed", "ada")
    );
    within("leaving", room.close()).await.unwrap();
}

#[tokio::test]
async fn an_agent_is_called_into_the_room() {
    let Some(server) = Server::shared(SUITE, Version::New) else { return };
    for url in [server.url(), format!("http://{}", server.http())] {
        let made = run(&dispatch(&url, "called")).await.succeeded();
        let made: Value = serde_json::from_str(&made).unwrap();
        assert!(made["id"].as_str().unwrap().starts_with("AD_"), "{made:#}");
        let told = [&made["agent_name"], &made["room"], &made["metadata"]];
        assert_eq!(told, ["nobody", "called", r#"{"a":1}"#]);
    }
}

#[tokio::test]
async fn what_goes_wrong_is_told_without_the_secret() {
    let Some(server) = Server::shared(SUITE, Version::New) else { return };
    let refused = run_as("another-secret-of-no-server", &dispatch(&server.url(), "r")).await;
    refused.refused(
        1,
        &["\"nobody\" was not called into \"r\"", "refused the token; are LIVEKIT_API_KEY"],
    );
    assert!(!refused.stderr.contains("another-secret"), "{}", refused.stderr);
    let absent = run(&dispatch("http://127.0.0.1:9", "r")).await;
    absent.refused(1, &["could not connect to 127.0.0.1:9"]);
    run(&dispatch("clinic", "r")).await.refused(1, &["\"clinic\" is no address", "not a URL"]);
    let nameless = run(&["token", "--room", "r", "--identity", ""]).await;
    nameless.refused(1, &["no token can be made", "identity"]);
}

#[tokio::test]
async fn a_command_line_that_cannot_be_meant_is_refused() {
    let token = ["token", "--room", "r", "--identity", "ada"];
    for (more, parts) in [
        (
            &["--agent", "a", "--metadata", "{a:1}"][..],
            &["no JSON", r#"'{"pipeline":"clinic"}'"#][..],
        ),
        (&["--metadata", "{}"], &["--agent"]),
        (&["--ttl", "0"], &["--ttl"]),
    ] {
        let ended = run(&[&token, more].concat()).await;
        ended.refused(MISUSE, parts);
        assert!(!ended.stderr.contains(SECRET), "{}", ended.stderr);
    }
    let keyless = program::run(&workspace::root(), &token, &[]).await;
    keyless.refused(MISUSE, &["--api-key", "--api-secret"]);
    let help = run(&["dispatch", "--help"]).await.succeeded();
    assert!(help.contains("LIVEKIT_API_SECRET") && !help.contains(SECRET), "{help}");
}
