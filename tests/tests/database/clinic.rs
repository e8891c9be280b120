//! The clinic's tools on the sample data: what a receptionist does in one call, in both dialects.

use std::sync::Arc;

use chrono::{TimeDelta, Utc};
use serde_json::{Value as Json, json};
use voicegraph_database::Database;
use voicegraph_database::seed::{self, Guard};
use voicegraph_engine::message::ToolFailure;
use voicegraph_engine::node::{Kind, NodeFactory};
use voicegraph_nodes::db_tool::{DbTool, Options};

use crate::place::{self, Place, number};
use crate::tools::Caller;

/// A patient of the sample data.
const ADA: &str = "+441632960101";

fn factory(place: &Place) -> Arc<dyn NodeFactory> {
    let mut options: Json = toml::from_str(include_str!("clinic.toml")).unwrap();
    options["database"] = json!({ "url": place.url, "root_certificates": place.authority });
    let options: Options = serde_json::from_value(options).unwrap();
    DbTool::build(options).unwrap_or_else(|problems| panic!("{problems:?}"))
}

async fn seeded(place: &Place) -> Database {
    let database = place.migrated().await;
    let today = Utc::now().date_naive();
    seed::seed(&place.settings(), today, Some("dev"), Guard::Up).await.unwrap();
    database
}

async fn rows(caller: &mut Caller, tool: &str, arguments: Json) -> Vec<Json> {
    let result = caller.use_tool(tool, arguments).await;
    let told = result.unwrap_or_else(|error| panic!("{tool}: {error}"));
    told["rows"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_caller_finds_books_moves_and_cancels() {
    for place in place::both().await {
        let database = seeded(&place).await;
        let factory = factory(&place);
        assert_eq!(factory.verify().await, [], "{:?}", place.dialect);
        let mut ada = Caller::known(&factory, "a", Some(ADA));
        let doctors = rows(&mut ada, "find_doctors", json!({ "specialty": "Dermatology" })).await;
        assert_eq!(doctors.len(), 1, "{doctors:?}");
        let doctor = &doctors[0]["doctor_id"];
        let day = |days| (Utc::now() + TimeDelta::days(days)).date_naive().to_string();
        let span = json!({ "doctor_id": doctor, "from_day": day(1), "to_day": day(10) });
        let free = rows(&mut ada, "find_free_slots", span.clone()).await;
        assert_eq!(free.len(), 12, "{free:?}");
        let before = rows(&mut ada, "my_appointments", json!({})).await.len();
        let wish = json!({ "doctor_id": doctor, "starts_at": free[3]["starts_at"] });
        let booked = rows(&mut ada, "book_appointment", wish.clone()).await;
        assert_eq!(booked[0]["starts_at"], free[3]["starts_at"]);
        let left = rows(&mut ada, "find_free_slots", span).await;
        assert!(!left.contains(&free[3]), "{left:?}");
        let mut ben = Caller::known(&factory, "b", Some("+441632960102"));
        let taken = ben.use_tool("book_appointment", wish).await.unwrap_err().failure;
        assert_eq!(taken, ToolFailure::Named("slot_taken".into()));
        let id = &booked[0]["appointment_id"];
        let other = json!({ "appointment_id": id, "starts_at": free[5]["starts_at"] });
        let stolen = ben.use_tool("move_appointment", other.clone()).await.unwrap_err();
        assert_eq!(stolen.failure, ToolFailure::NotFound);
        assert_eq!(rows(&mut ada, "move_appointment", other).await[0]["appointment_id"], *id);
        assert_eq!(rows(&mut ada, "my_appointments", json!({})).await.len(), before + 1);
        rows(&mut ada, "cancel_appointment", json!({ "appointment_id": id })).await;
        assert_eq!(rows(&mut ada, "my_appointments", json!({})).await.len(), before);
        let keys = number(&database, "select count(*) from tool_calls").await;
        assert_eq!(keys, 3, "booked, moved, cancelled");
        ada.end().await;
        ben.end().await;
    }
}

#[tokio::test]
async fn who_is_unknown_books_nothing() {
    for place in place::both().await {
        let database = seeded(&place).await;
        let before = number(&database, "select count(*) from appointments").await;
        let mut caller = Caller::known(&factory(&place), "a", None);
        let wish = json!({ "doctor_id": 1, "starts_at": "2026-03-09T09:00:00Z" });
        let refused = caller.use_tool("book_appointment", wish).await.unwrap_err().failure;
        assert_eq!(refused, ToolFailure::NotFound, "{:?}", place.dialect);
        assert_eq!(number(&database, "select count(*) from appointments").await, before);
        caller.end().await;
    }
}
