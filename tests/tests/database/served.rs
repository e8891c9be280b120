//! Calls that book through `voicegraph serve`, as callers make them: spoken, over the network, to
//! processes that share one PostgreSQL.

use std::path::Path;
use std::time::Duration;

use chrono::Utc;
use futures_util::future::join_all;
use tempfile::TempDir;
use voicegraph_database::Database;
use voicegraph_database::seed::{self, Guard};
use voicegraph_tests::caller::Caller;
use voicegraph_tests::http;
use voicegraph_tests::postgres::{Postgres, Tls};
use voicegraph_tests::scenario::clinic;
use voicegraph_tests::serve::Serve;
use voicegraph_tests::sound::Sound;

use crate::place::{self, Place, number, run, text};

/// How many call at once, and of how many processes.
const CALLERS: usize = 50;
const PROCESSES: usize = 2;

/// The caller's lines in the demo's recording.
const SAID: [&str; 3] = [
    "Hello, when are you open this week?",
    "Sorry, can I see a doctor on Tuesday?",
    "Ten o'clock is perfect.",
];

/// The model, for the slots that are wished for.
fn script(slots: &[String]) -> String {
    let wish = |(user, slot): (&str, &String)| {
        format!(
            r#"
            [[openai.rules]]
            user = "{user}"
            tool_calls = [{{ name = "book_appointment", arguments = {{ doctor_id = 3, starts_at = "{slot}" }} }}]
            "#
        )
    };
    let users = ["open this week", "doctor on Tuesday", "ten o'clock"];
    let wishes: String = users.into_iter().zip(slots.iter().cycle()).map(wish).collect();
    let told = |(result, reply): (&str, &str)| {
        format!(
            r#"
            [[openai.rules]]
            after_tool = "book_appointment"
            tool_result = "{result}"
            reply = "{reply}"
            "#
        )
    };
    let results = [
        ("appointment_id", "It is booked."),
        ("slot_taken", "It is taken."),
        ("unavailable", "I am sorry, I cannot reach the book."),
    ];
    let heard =
        SAID.map(|words| format!("[[deepgram.utterances]]\nheard = \"{words}\"\n")).concat();
    let rules = results.map(told).concat();
    format!("{heard}[openai]\ntoken_ms = 1\n{wishes}{rules}")
}

/// What is wished for, of the sample data's third doctor: a half hour that is to come, and twice
/// another one.
async fn slots(database: &Database) -> Vec<String> {
    let last =
        "select to_char(max(starts_at), 'YYYY-MM-DD') from doctor_shifts where doctor_id = 3";
    let day = text(database, last).await.remove(0);
    ["15:00", "15:30", "15:30"].map(|at| format!("{day}T{at}:00Z")).to_vec()
}

/// The clinic's database with sample data around today, since processes read the real clock.
async fn seeded(place: &Place) -> Database {
    let database = place.migrated().await;
    let today = Utc::now().date_naive();
    seed::seed(&place.settings(), today, Some("staging"), Guard::Up).await.unwrap();
    database
}

/// A process that takes calls.
struct Served {
    serve: Serve,
    _folder: TempDir,
}

impl Served {
    /// Serves the clinic as it is.
    async fn start(place: &Place, script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::serve(place, script, &clinic(), folder).await
    }

    /// Serves the clinic with more patience than callers have: fifty of them in a build without
    /// optimization are late for everything.
    async fn start_patient(place: &Place, script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let read = |name: &str| std::fs::read_to_string(clinic().join(name)).unwrap();
        let name = "name = \"book_appointment\"\n";
        let pipeline = read("pipeline.toml").replace(name, &format!("{name}timeout_ms = 60000\n"));
        let url = "database.url = ";
        let dev =
            read("dev.toml").replace(url, &format!("database.acquire_timeout_ms = 60000\n{url}"));
        assert!(pipeline.contains("60000") && dev.contains("60000"));
        std::fs::write(folder.path().join("pipeline.toml"), pipeline).unwrap();
        std::fs::write(folder.path().join("dev.toml"), dev).unwrap();
        let pipeline = folder.path().to_owned();
        Self::serve(place, script, &pipeline, folder).await
    }

    async fn serve(place: &Place, script: &str, pipeline: &Path, folder: TempDir) -> Self {
        let path = folder.path().join("script.toml");
        std::fs::write(&path, script).unwrap();
        let url = place.tool_url();
        let arguments = [pipeline.to_str().unwrap(), "--env", "dev"];
        let variables =
            [("DATABASE_URL", url.as_str()), ("VOICEGRAPH_SCRIPT", path.to_str().unwrap())];
        Self { serve: Serve::start(&arguments, &variables).await, _folder: folder }
    }

    /// Where it listens.
    fn authority(&self) -> &str {
        &self.serve.authority
    }

    /// Asks it to end in order.
    async fn end(self) {
        self.serve.process.end().await;
    }
}

/// The sound of what is said.
fn lines() -> [Vec<i16>; 3] {
    let voice = Sound::read(&clinic().join("demo/caller.wav")).remove(0);
    [(0, 2_041), (2_541, 4_947), (5_447, 6_865)].map(|(from, to)| voice.part(from, to).samples)
}

/// Waits for a turn's end, and gives what the caller heard of it.
async fn heard(caller: &mut Caller, parts: &[&str]) -> String {
    let is = |heard: &str| parts.iter().any(|part| heard.contains(part));
    let turn = caller.event("answer", |event| {
        event["type"] == "turn" && event["heard"].as_str().is_some_and(is)
    });
    turn.await.1["heard"].as_str().unwrap().to_owned()
}

/// Lets as many patients be known as call.
async fn register(database: &Database) {
    let patients = format!(
        "insert into patients (name, phone)
         select 'Caller ' || n, '+44163297' || lpad(n::text, 4, '0')
         from generate_series(0, {CALLERS}) as n"
    );
    run(database, &patients).await.unwrap();
}

#[tokio::test]
async fn fifty_calls_for_one_slot_make_one_row() {
    let Some(place) = place::postgres().await else { return };
    let database = seeded(&place).await;
    register(&database).await;
    let slots = slots(&database).await;
    let mut served = Vec::new();
    for _ in 0..PROCESSES {
        served.push(Served::start_patient(&place, &script(&slots[..1])).await);
    }
    let [wish, ..] = lines();
    let calls = (0..CALLERS).map(async |index| {
        let who = format!("+44163297{index:04}");
        let authority = served[index % PROCESSES].authority();
        let mut caller = Caller::call_as(authority, &who).await.unwrap();
        caller.say(&wish);
        heard(&mut caller, &["booked", "taken", "reach"]).await
    });
    let answers = join_all(calls).await;
    let count = |part: &str| answers.iter().filter(|answer| answer.contains(part)).count();
    assert_eq!((count("booked"), count("taken")), (1, CALLERS - 1), "{answers:?}");
    let rows =
        format!("select count(*) from appointments where appointment_datetime = '{}'", slots[0]);
    assert_eq!(number(&database, &rows).await, 1);
    assert_eq!(number(&database, "select count(*) from tool_calls").await, 1);
    let stuck = "select count(*) from pg_locks where not granted";
    assert_eq!(number(&database, stuck).await, 0);
    let open = "select count(*) from pg_stat_activity
                where datname = current_database() and state like 'idle in transaction%'";
    assert_eq!(number(&database, open).await, 0);
    for process in served {
        process.end().await;
    }
    // A connection tells its figures at its end.
    let deadlocks = "select deadlocks from pg_stat_database where datname = current_database()";
    assert_eq!(number(&database, deadlocks).await, 0);
}

/// How long the caller may wait for the apology: the tool's limit, which is the default of 3 s, and
/// what model and voice take beside it.
const APOLOGY_LIMIT: Duration = Duration::from_secs(4);

#[tokio::test]
async fn a_call_outlives_its_database() {
    let Some(server) = Postgres::start("database", Tls::On) else { return };
    let url = server.database().await;
    let place = Place::of(voicegraph_database::Dialect::Postgres, url, Some(server.authority()));
    let database = seeded(&place).await;
    let slots = slots(&database).await;
    let served = Served::start(&place, &script(&slots)).await;
    let mut caller = Caller::call_as(served.authority(), "+441632960102").await.unwrap();
    let [first, second, third] = lines();
    heard(&mut caller, &["How can I help you?"]).await;
    caller.say(&first);
    heard(&mut caller, &["It is booked."]).await;
    server.pause();
    caller.say(&second);
    let (began, _) = caller.event_of("turn_began").await;
    let is_speaking =
        |event: &serde_json::Value| event["state"] == "speaking" && event["role"] == "agent";
    let (spoke, _) = caller.event("apology", is_speaking).await;
    assert!(spoke - began < APOLOGY_LIMIT, "{:?}", spoke - began);
    heard(&mut caller, &["I am sorry, I cannot reach the book."]).await;
    server.resume();
    caller.say(&third);
    heard(&mut caller, &["It is booked."]).await;
    caller.send("{\"type\":\"hangup\"}");
    assert_eq!(caller.event_of("end").await.1["reason"], "hung_up");
    let rows = "select count(*) from appointments where session_id is not null";
    assert_eq!(number(&database, rows).await, 2, "the third wish was the second one again");
    let limit = Duration::from_secs(20);
    http::until(served.authority(), "/ready", limit, |ready| ready["status"] == "ok").await;
    served.end().await;
}
