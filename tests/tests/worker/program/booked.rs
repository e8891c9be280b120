//! A booking that is spoken, and a question that is typed, land where they should: in PostgreSQL.

use chrono::Utc;
use voicegraph_database::migrate::Migrator;
use voicegraph_database::seed::{self, Guard};
use voicegraph_database::{Database, Options, Settings};
use voicegraph_tests::postgres::Postgres;
use voicegraph_tests::sdk_peer::SdkPeer;

use super::rows::{records, text};
use super::worker::{BEN, GREETING, Start, agent_says, line, pipeline};
use crate::protocol::{Site, against_both};
use crate::room::until;
use crate::room_stage::{MICROPHONE, VOICE};

against_both!(a_spoken_booking_is_one_row);

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

async fn a_spoken_booking_is_one_row(site: Site) {
    let Some(server) = Postgres::shared("worker booking") else { return };
    let (settings, url) = seeded(server).await;
    let database = Database::open(settings);
    let slot = slot(&database).await;
    let start = Start {
        server: site.server,
        agent: site.name,
        pipelines: &[&pipeline()],
        database: &url,
        heard: &["Sorry, can I see a doctor on Tuesday?", "Yes, please."],
        script: &script(&slot),
        more: &[],
    };
    let worker = start.work().await;
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
    worker.until_busy(0).await;
    check(&database, &slot).await;
    worker.end().await;
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
