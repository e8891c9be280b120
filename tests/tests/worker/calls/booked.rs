//! A booking that is spoken, to the official SDK or on the playground's page, lands where it
//! should: in PostgreSQL. A question that is typed is answered.

use chrono::Utc;
use voicegraph_database::migrate::Migrator;
use voicegraph_database::seed::{self, Guard};
use voicegraph_database::{Database, Options, Settings};
use voicegraph_tests::browser::Browser;
use voicegraph_tests::livekit::{KEY, SECRET, Version};
use voicegraph_tests::postgres::Postgres;
use voicegraph_tests::program::{self, Process};
use voicegraph_tests::rows::text;
use voicegraph_tests::sdk_peer::SdkPeer;
use voicegraph_tests::sound::Sound;
use voicegraph_tests::worker::{Setup, Worker};
use voicegraph_tests::workspace;

use super::seen::agent_says;
use crate::call_records::records;
use crate::clinic::{BEN, GREETING, heard, line};
use crate::room::until;
use crate::room_stage::{MICROPHONE, VOICE};
use crate::site::{Site, against_both, play};

against_both!(a_spoken_booking_is_one_row);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn booked_on_the_page() {
    play("booked_on_the_page", Version::New, a_booking_on_the_page_is_one_row).await;
}

/// What the agent says before it books.
const OFFER: &str = "Shall I book Doctor Hart for you?";

/// What it says when it has.
const BOOKED: &str = "It is booked.";

/// A model that books this half hour once the caller has agreed.
fn script(slot: &str) -> String {
    format!(
        r#"
        [[openai.rules]]
        user = "doctor on Tuesday"
        reply = "{OFFER}"

        [[openai.rules]]
        user = "yes, please"
        [[openai.rules.tool_calls]]
        name = "book_appointment"
        arguments = {{ doctor_id = 3, starts_at = "{slot}" }}

        [[openai.rules]]
        after_tool = "book_appointment"
        tool_result = "appointment_id"
        reply = "{BOOKED}"
        "#
    )
}

/// An empty database of the shared server, with sample data around today: the process reads the
/// real clock.
async fn seeded(server: &Postgres) -> (Settings, String) {
    let (url, authority) = (server.database().await, server.authority());
    let tool_url = format!("{url}?sslrootcert={}", authority.display());
    let options = Options { root_certificates: Some(authority), ..Options::new(&url) };
    let settings = options.build("staging").unwrap();
    Migrator::new(&settings).up(None).await.unwrap();
    let today = Utc::now().date_naive();
    seed::seed(&settings, today, Some("staging"), Guard::Up).await.unwrap();
    (settings, tool_url)
}

/// A half hour of the third doctor's that is to come.
async fn slot(database: &Database) -> String {
    let last =
        "select to_char(max(starts_at), 'YYYY-MM-DD') from doctor_shifts where doctor_id = 3";
    format!("{}T15:00:00Z", text(database, last).await.remove(0))
}

/// The clinic at work for callers who book, and the half hour that they get.
struct Clinic {
    worker: Worker,
    database: Database,
    slot: String,
}

impl Clinic {
    async fn open(site: &Site) -> Option<Self> {
        let (settings, url) = seeded(Postgres::shared("worker booking")?).await;
        let database = Database::open(settings);
        let slot = slot(&database).await;
        let said = ["Sorry, can I see a doctor on Tuesday?", "Yes, please."];
        let (livekit, script) = (site.server.url(), heard(&said, &script(&slot)));
        let setup = Setup { database: Some(&url), script, ..Setup::new(&livekit, site.name) };
        Some(Self { worker: Worker::start(setup).await, database, slot })
    }

    /// Ends once the call has, and looks at what it left.
    async fn close(mut self) {
        self.worker.until_busy(0).await;
        check(&self.database, &self.slot).await;
        self.worker.end().await;
    }
}

async fn a_spoken_booking_is_one_row(site: Site) {
    let Some(clinic) = Clinic::open(&site).await else { return };
    let ben = SdkPeer::join(site.name, site.server, site.name, BEN).await;
    let Some(ben) = ben else { return };
    ben.publish(MICROPHONE, 16_000, 1).await;
    ben.follow("lk.transcription").await;
    ben.meter_each(20, VOICE).await;
    site.api().dispatch(site.name, site.name, "").await;
    hears(&ben, GREETING).await;
    ben.play(MICROPHONE, &[line(1)]).await;
    hears(&ben, OFFER).await;
    ben.play(MICROPHONE, &[line(3)]).await;
    hears(&ben, BOOKED).await;
    ben.send_text("lk.chat", "When are you open this week?").await;
    agent_says(&ben, "We are open Monday to Friday").await;
    ben.leave().await;
    clinic.close().await;
}

/// The page joins by a token, which calls the agent, and is left with the call still open.
async fn a_booking_on_the_page_is_one_row(site: Site) {
    let Some(clinic) = Clinic::open(&site).await else { return };
    let url = site.server.url();
    let variables = [("LIVEKIT_API_KEY", KEY), ("LIVEKIT_API_SECRET", SECRET)];
    let who = ["token", "--room", site.name, "--identity", BEN, "--agent", site.name];
    let token = program::run(&workspace::root(), &who, &variables).await.succeeded();
    let arguments = ["playground", "--port", "0", "--url", &url, "--token", token.trim()];
    let mut playground = Process::start(&arguments, &[]);
    let page = playground.line_with("http://127.0.0.1:").await;
    let folder = tempfile::tempdir().unwrap();
    let voice = folder.path().join("booking.wav");
    spoken().write(&voice);
    let browser = Browser::visit(site.name, "booking.mjs", page.trim(), &voice).await;
    let Some(mut browser) = browser else { return };
    assert_eq!(browser.room().await, site.name);
    let report = browser.report().await;
    assert_eq!(report.complaints, [] as [&str; 0]);
    assert!(report.mic_dbfs > -50.0 && report.agent_dbfs > -40.0, "{report:?}");
    clinic.close().await;
    playground.stop().await;
}

/// The caller lets the agent greet, asks, lets it answer, agrees, and says nothing more.
fn spoken() -> Sound {
    let mut asks = line(1).after_silence(12_000);
    let agrees = line(3).after_silence(9_000);
    let silence = asks.samples_in(60_000);
    asks.samples.extend(agrees.samples);
    asks.samples.extend(std::iter::repeat_n(0, silence));
    asks
}

/// The agent says it all, and is silent.
async fn hears(ben: &SdkPeer, words: &str) {
    agent_says(ben, words).await;
    until(ben, false).await;
}

/// One appointment, booked by the one call in one transaction with its key.
async fn check(database: &Database, slot: &str) {
    let booked = format!(
        "select phone || ' ' || status from appointments join patients on patients.id = patient_id
         join call_records using (session_id) where appointment_datetime = '{slot}'"
    );
    assert_eq!(text(database, &booked).await, [format!("{BEN} booked")]);
    let by_calls = "select session_id from appointments where session_id is not null";
    assert_eq!(text(database, by_calls).await.len(), 1);
    assert_eq!(text(database, "select key::text from tool_calls").await.len(), 1);
    assert_eq!(records(database).await, [format!("{BEN} hung_up")]);
}
