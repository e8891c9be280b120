//! The clinic's tools on the sample data: what a receptionist does in a call, in both dialects.

use std::sync::Arc;

use chrono::NaiveDate;
use serde_json::{Value as Json, json};
use voicegraph_database::Database;
use voicegraph_database::seed::{self, Guard};
use voicegraph_engine::message::ToolFailure;
use voicegraph_engine::node::{Kind, NodeFactory};
use voicegraph_nodes::db_tool::{DbTool, Options};

use crate::place::{self, Place, number};
use crate::tools::Caller;

/// Patients of the sample data.
const ADA: &str = "+441632960101";
const BEN: &str = "+441632960102";

/// The node `booking` of the clinic's pipeline, on this database.
pub(crate) fn factory(place: &Place) -> Arc<dyn NodeFactory> {
    let pipeline = include_str!("../../../pipelines/clinic/pipeline.toml");
    let mut pipeline: Json = toml::from_str(pipeline).unwrap();
    let options = &mut pipeline["nodes"]["booking"];
    options.as_object_mut().unwrap().remove("kind");
    options["database"] = json!({ "url": place.url, "root_certificates": place.authority });
    let options: Options = serde_json::from_value(options.take()).unwrap();
    DbTool::build(options, "staging").unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// The sample data around Monday 9 March 2026, the day on which callers call.
pub(crate) async fn seeded(place: &Place) -> Database {
    let database = place.migrated().await;
    let today = NaiveDate::from_ymd_opt(2026, 3, 9).unwrap();
    seed::seed(&place.settings(), today, Some("dev"), Guard::Up).await.unwrap();
    database
}

async fn rows(caller: &mut Caller, tool: &str, arguments: Json) -> Vec<Json> {
    let result = caller.use_tool(tool, arguments).await;
    let told = result.unwrap_or_else(|error| panic!("{tool}: {error}"));
    told["rows"].as_array().unwrap().clone()
}

async fn failure(caller: &mut Caller, tool: &str, arguments: Json) -> ToolFailure {
    let result = caller.use_tool(tool, arguments).await;
    result.expect_err("it cannot be done").failure
}

fn named(name: &str) -> ToolFailure {
    ToolFailure::Named(name.to_owned())
}

/// The first doctor of the specialty, and the times that are free from one day to another.
async fn free(caller: &mut Caller, specialty: &str, from: &str, to: &str) -> (Json, Vec<Json>) {
    let doctors = rows(caller, "find_doctors", json!({ "specialty": specialty })).await;
    let doctor = doctors[0]["doctor_id"].clone();
    let span = json!({ "doctor_id": doctor, "from_day": from, "to_day": to });
    let slots = rows(caller, "find_free_slots", span).await;
    (doctor, slots)
}

#[tokio::test]
async fn a_caller_finds_books_moves_and_cancels() {
    for place in place::both().await {
        let database = seeded(&place).await;
        let factory = factory(&place);
        assert_eq!(factory.verify().await, [], "{:?}", place.dialect);
        let (mut ada, mut ben) =
            (Caller::known(&factory, "a", Some(ADA)), Caller::known(&factory, "b", Some(BEN)));
        let (doctor, slots) = free(&mut ada, "Dermatology", "2026-03-10", "2026-03-16").await;
        assert_eq!(slots.len(), 16, "{slots:?}");
        let before = rows(&mut ada, "my_appointments", json!({})).await.len();
        let wish =
            |slot: usize| json!({ "doctor_id": doctor, "starts_at": slots[slot]["starts_at"] });
        let booked = rows(&mut ada, "book_appointment", wish(3)).await;
        assert_eq!(booked[0]["starts_at"], slots[3]["starts_at"]);
        let (_, left) = free(&mut ada, "dermatology", "2026-03-10", "2026-03-16").await;
        assert!(!left.contains(&slots[3]), "{left:?}");
        assert_eq!(failure(&mut ben, "book_appointment", wish(3)).await, named("slot_taken"));
        let id = &booked[0]["appointment_id"];
        let other = json!({ "appointment_id": id, "starts_at": slots[5]["starts_at"] });
        let stolen = failure(&mut ben, "move_appointment", other.clone()).await;
        assert_eq!(stolen, ToolFailure::NotFound);
        assert_eq!(rows(&mut ada, "move_appointment", other).await[0]["appointment_id"], *id);
        assert_eq!(rows(&mut ada, "my_appointments", json!({})).await.len(), before + 1);
        rows(&mut ada, "cancel_appointment", json!({ "appointment_id": id })).await;
        assert_eq!(rows(&mut ada, "my_appointments", json!({})).await.len(), before);
        let booked = "select count(*) from appointments where status = 'booked'";
        assert_eq!(number(&database, booked).await, 6, "those of the sample data");
        ada.end().await;
        ben.end().await;
    }
}

#[tokio::test]
async fn times_and_days_are_those_of_the_doctors_clock() {
    let new_york = "('SAMPLE-1004')";
    for place in place::both().await {
        let database = seeded(&place).await;
        let doctor = format!("select id from doctors where registration_number = {new_york}");
        let doctor = number(&database, &doctor).await;
        let mut caller = Caller::known(&factory(&place), "a", Some(ADA));
        let day = json!({ "doctor_id": doctor, "from_day": "2026-03-11", "to_day": "2026-03-11" });
        let slots = rows(&mut caller, "find_free_slots", day).await;
        let expected = |time: &str| {
            let starts_at = format!("2026-03-11T{time}:00-04:00");
            json!({ "starts_at": starts_at, "starts_at_weekday": "Wednesday" })
        };
        assert_eq!((&slots[0], &slots[13]), (&expected("09:00"), &expected("16:30")));
        assert_eq!(slots.len(), 14, "three hours and four: {slots:?}");
        caller.end().await;
    }
}

#[tokio::test]
async fn what_is_free_again_can_be_booked_again() {
    for place in place::both().await {
        let database = seeded(&place).await;
        let mut ada = Caller::known(&factory(&place), "a", Some(ADA));
        let (doctor, slots) = free(&mut ada, "dermatology", "2026-03-10", "2026-03-10").await;
        let (one, other) = (&slots[0]["starts_at"], &slots[1]["starts_at"]);
        let wish = json!({ "doctor_id": doctor, "starts_at": one });
        let first = rows(&mut ada, "book_appointment", wish.clone()).await;
        let again = rows(&mut ada, "book_appointment", wish.clone()).await;
        assert_eq!(first, again, "a repeated call gives the first result");
        let id = &first[0]["appointment_id"];
        for to in [other, one, other] {
            let to = json!({ "appointment_id": id, "starts_at": to });
            let moved = rows(&mut ada, "move_appointment", to.clone()).await;
            assert_eq!(moved[0]["starts_at"], to["starts_at"]);
        }
        let second = rows(&mut ada, "book_appointment", wish.clone()).await;
        assert_ne!(second, first, "the first one was moved away");
        let gone = json!({ "appointment_id": second[0]["appointment_id"] });
        rows(&mut ada, "cancel_appointment", gone.clone()).await;
        assert_eq!(
            rows(&mut ada, "cancel_appointment", gone).await,
            [json!({
                "appointment_id": second[0]["appointment_id"],
            })]
        );
        let third = rows(&mut ada, "book_appointment", wish).await;
        assert_ne!(third, second, "the second one was cancelled");
        let booked =
            "select count(*) from appointments where session_id = 'a' and status = 'booked'";
        assert_eq!(number(&database, booked).await, 2);
        ada.end().await;
    }
}

#[tokio::test]
async fn a_new_patient_registers_and_books() {
    for place in place::both().await {
        seeded(&place).await;
        let mut eve = Caller::known(&factory(&place), "e", Some("+441632960199"));
        let (doctor, slots) = free(&mut eve, "cardiology", "2026-03-12", "2026-03-12").await;
        let wish = json!({ "doctor_id": doctor, "starts_at": slots[0]["starts_at"] });
        let refused = failure(&mut eve, "book_appointment", wish.clone()).await;
        assert_eq!(refused, ToolFailure::NotFound, "{:?}", place.dialect);
        let person = json!({ "name": "Eve O'Hara", "date_of_birth": "1990-02-28" });
        let registered = rows(&mut eve, "register_patient", person).await;
        assert_eq!(registered, [json!({ "name": "Eve O'Hara" })]);
        assert_eq!(rows(&mut eve, "book_appointment", wish).await.len(), 1);
        let other = json!({ "name": "Mallory", "date_of_birth": "1990-02-28" });
        let twice = failure(&mut eve, "register_patient", other).await;
        assert_eq!(twice, named("already_registered"));
        eve.end().await;
    }
}

#[tokio::test]
async fn who_is_unknown_and_what_is_over_cannot_be_booked() {
    for place in place::both().await {
        let database = seeded(&place).await;
        let factory = factory(&place);
        let mut ada = Caller::known(&factory, "a", Some(ADA));
        let (doctor, slots) = free(&mut ada, "cardiology", "2026-03-12", "2026-03-12").await;
        let wish = |starts_at: &Json| json!({ "doctor_id": doctor, "starts_at": starts_at });
        let over =
            failure(&mut ada, "book_appointment", wish(&json!("2026-03-06T10:00:00Z"))).await;
        assert_eq!(over, ToolFailure::NotFound);
        let night = json!("2026-03-12T23:00:00Z");
        let closed = failure(&mut ada, "book_appointment", wish(&night)).await;
        assert_eq!(closed, named("slot_not_offered"));
        for caller in [None, Some("someone@example.com")] {
            let mut caller = Caller::known(&factory, "b", caller);
            let refused = failure(&mut caller, "book_appointment", wish(&slots[0]["starts_at"]));
            assert_eq!(refused.await, ToolFailure::NotFound, "{:?}", place.dialect);
            let person = json!({ "name": "Nobody", "date_of_birth": "1990-02-28" });
            let refused = failure(&mut caller, "register_patient", person).await;
            assert_eq!(refused, named("number_withheld"));
            caller.end().await;
        }
        assert_eq!(number(&database, "select count(*) from appointments").await, 6);
        assert_eq!(number(&database, "select count(*) from tool_calls").await, 0);
        ada.end().await;
    }
}
