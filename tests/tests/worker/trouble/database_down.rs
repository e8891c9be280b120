//! A database that goes down in the middle of a call.

use chrono::NaiveDate;
use tokio::time::{interval, timeout};
use voicegraph_database::migrate::Migrator;
use voicegraph_database::seed::{self, Guard};
use voicegraph_database::{Database, Options};
use voicegraph_tests::livekit::{LIMIT, Server, Version};
use voicegraph_tests::postgres::{Postgres, Tls};

use super::alone;
use super::memory::Held;
use super::process::{STEP, Setup, Worker};
use super::records::reasons;
use super::caller::Caller;

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
    let looking = async {
        let mut steps = interval(STEP);
        while (worker.get("/ready").await.status == 200) != ready {
            steps.tick().await;
        }
    };
    timeout(LIMIT, looking).await.expect("the worker sees its database go and come");
}

/// A call outlives it, and says so. A call that ends meanwhile leaves no record, which is counted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_goes_down() {
    let _alone = alone().await;
    let Some(server) = Server::start("worker database", Version::New) else { return };
    let Some(postgres) = Postgres::start("worker database", Tls::On) else { return };
    let url = postgres.database().await;
    let database = seeded(&postgres, &url).await;
    let given = format!("{url}?sslrootcert={}", postgres.authority().display());
    let (livekit, variables) = (server.url(), [("DATABASE_URL", given.as_str())]);
    let setup = Setup { variables: &variables, script: SCRIPT, ..Setup::new(&livekit, AGENT) };
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
    let before = Held::by(&worker).await;
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
