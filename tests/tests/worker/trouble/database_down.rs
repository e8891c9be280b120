//! A database that goes down in the middle of a call.

use chrono::NaiveDate;
use voicegraph_database::migrate::Migrator;
use voicegraph_database::seed::{self, Guard};
use voicegraph_database::{Database, Options};
use voicegraph_tests::livekit::{LIMIT, Server, Version};
use voicegraph_tests::poll::poll;
use voicegraph_tests::postgres::{Postgres, Tls};
use voicegraph_tests::worker::{Setup, Worker};

use super::caller::Caller;
use super::memory::Memory;
use crate::call_records::reasons;
use crate::clinic::demo;

const AGENT: &str = "database";

/// A question that needs the database, and the answers where it is there and where it is not.
const QUESTION: &str = "Which are my appointments?";
const KNOWN: &str = "There are none.";
const UNKNOWN: &str = "I am sorry, I cannot reach the book.";
const SCRIPT: &str = r#"
[[openai.rules]]
user = "my appointments"
tool_calls = [{ name = "my_appointments", arguments = {} }]
[[openai.rules]]
after_tool = "my_appointments"
tool_result = "unavailable"
reply = "I am sorry, I cannot reach the book."
[[openai.rules]]
after_tool = "my_appointments"
reply = "There are none."
"#;

const LOST: &str = "voicegraph_database_call_records_lost_total";

/// The clinic's database on a server of the test's own.
async fn seeded(server: &Postgres, url: &str) -> Database {
    let options = Options { root_certificates: Some(server.authority()), ..Options::new(url) };
    let settings = options.build("dev").unwrap();
    Migrator::new(&settings).up(None).await.unwrap();
    let monday = NaiveDate::from_ymd_opt(2026, 3, 9).unwrap();
    seed::seed(&settings, monday, Some("dev"), Guard::Up).await.unwrap();
    Database::open(settings)
}

/// Waits until the worker says that it is ready, or that it is not.
async fn until_ready(worker: &Worker, ready: bool) {
    let seen = async || (worker.get("/ready").await.status == 200) == ready;
    let seen = async || seen().await.then_some(());
    poll(LIMIT, seen).await.expect("the worker sees its database go and come");
}

/// A call outlives it, and says so. A call that ends meanwhile leaves no record, which is counted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_goes_down() {
    let Some(server) = Server::start("worker database", Version::New) else { return };
    let Some(postgres) = Postgres::start("worker database", Tls::On) else { return };
    let url = postgres.database().await;
    let database = seeded(&postgres, &url).await;
    let given = format!("{url}?sslrootcert={}", postgres.authority().display());
    let (livekit, script) = (server.url(), demo(SCRIPT));
    let setup = Setup { database: Some(&given), script, ..Setup::new(&livekit, AGENT) };
    let mut worker = Worker::start(setup).await;
    let Some(ada) = Caller::call(&server, AGENT, "database").await else { return };
    ada.asks_for(QUESTION, KNOWN).await;
    postgres.pause();
    ada.asks_for(QUESTION, UNKNOWN).await;
    postgres.resume();
    ada.asks_for(QUESTION, KNOWN).await;
    ada.peer.leave().await;
    assert_eq!(worker.left().await.0, "caller_left");
    assert_eq!(reasons(&database).await, ["hung_up"]);
    let before = Memory::of(&worker).await;
    let Some(bob) = Caller::call(&server, AGENT, "unrecorded").await else { return };
    postgres.pause();
    until_ready(&worker, false).await;
    bob.asks_for(QUESTION, UNKNOWN).await;
    bob.peer.leave().await;
    assert_eq!(worker.left().await.0, "caller_left");
    worker.until_empty().await;
    assert_eq!(worker.figures().await.of(LOST), 1.0);
    postgres.resume();
    until_ready(&worker, true).await;
    before.again(&worker, "database down").await;
}
