//! Words that try to be SQL, through every parameter of every tool of the clinic: they stay words.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use voicegraph_database::{Database, verify};
use voicegraph_engine::message::{ToolFailure, ToolResult, ToolSpec};
use voicegraph_engine::node::NodeFactory;

use crate::clinic::{factory, seeded};
use crate::interrupted::slots;
use crate::place::{self, number, text};
use crate::tools::Caller;

/// What callers might say, or have a model write. After the kinds of OWASP's testing guide for SQL
/// injection: broken quotes, tautologies, stacked statements, unions, comments, time, dialects'
/// own quotes, placeholders of drivers, and text that drivers have tripped over.
const CORPUS: &[&str] = &[
    "'",
    "''",
    "\"",
    "`",
    "\\",
    "\\'",
    "';",
    "') --",
    "')) or 1=1 --",
    "' or '1'='1",
    "' or 1=1 --",
    "\" or \"\"=\"",
    "1 or 1=1",
    "1; drop table appointments",
    "'; drop table appointments; --",
    "'); drop table patients cascade; --",
    "x'; delete from appointments where 'a'='a",
    "x'; update appointments set status='cancelled'; --",
    "x'; insert into doctors (name) values ('Mallory'); commit; --",
    "' union select phone, name, date_of_birth from patients --",
    "' union all select null, null, null --",
    "1 union select sql from sqlite_master",
    "admin'--",
    "admin'/*",
    "*/ or 1=1 /*",
    "/**/or/**/1=1",
    "# or 1=1",
    "' || pg_sleep(10) || '",
    "'; select pg_sleep(10); --",
    "1 and (select count(*) from generate_series(1, 100000000)) > 0",
    "' and 1=randomblob(1000000000) --",
    "'; copy patients to program 'id'; --",
    "'; attach database '/tmp/x.db' as x; --",
    "'; pragma writable_schema = on; --",
    "$$; drop table doctors; $$",
    "$a$ or 1=1 $a$",
    "E'\\x27; drop table doctors; --'",
    "U&'\\0027 or 1=1'",
    "chr(39)||chr(59)",
    "x'27'",
    ":caller",
    ":idempotency_key",
    "$1",
    "?1",
    "%(name)s",
    "${DATABASE_URL}",
    "%",
    "_",
    "null",
    "\u{2019} or 1=1 --",
    "\u{ff07}; drop table doctors; --",
    "\u{202e}' --",
    "line\nbreak'; --\r\n",
    "tab\t';",
    "1e309",
    "NaN",
    "{\"rows\":[]}",
    "2026-03-10'; --",
];

/// What each tool takes when nobody means harm.
fn arguments(tool: &str, slot: &str) -> Json {
    match tool {
        "find_doctors" => json!({ "specialty": "cardiology" }),
        "find_free_slots" => {
            json!({ "doctor_id": 3, "from_day": "2026-03-10", "to_day": "2026-03-11" })
        }
        "my_appointments" => json!({}),
        "register_patient" => json!({ "name": "Eve", "date_of_birth": "1990-02-28" }),
        "book_appointment" => json!({ "doctor_id": 3, "starts_at": slot, "reason": "check-up" }),
        "move_appointment" => json!({ "appointment_id": 1, "starts_at": slot }),
        "cancel_appointment" => json!({ "appointment_id": 1 }),
        other => panic!("{other}: say what it takes"),
    }
}

/// Everything in the tables but what is `new`: rows of later calls, and patients of later ones.
async fn rows(database: &Database) -> Vec<String> {
    const ROWS: &str = "
      select 'p' || id || name || phone from patients where id <= 5
      union all select 'd' || id || name || registration_number || specialty from doctors
      union all select 's' || id || doctor_id || starts_at || ends_at from doctor_shifts
      union all select 'a' || id || doctor_id || patient_id || appointment_datetime || status
        from appointments where id <= 6
      order by 1";
    text(database, ROWS).await
}

/// A try: one text in one parameter, in a call of its own.
struct Try<'a> {
    tool: &'a str,
    parameter: &'a str,
    words: &'a str,
    /// Who calls.
    phone: String,
    session: String,
}

impl Try<'_> {
    /// Uses the tool; gives what it told.
    async fn make(&self, factory: &Arc<dyn NodeFactory>, given: Json) -> ToolResult {
        let mut caller = Caller::known(factory, &self.session, Some(&self.phone));
        let told = caller.use_tool(self.tool, given).await;
        caller.end().await;
        told
    }

    /// Checks that the words are stored as they are, find nothing, or are refused.
    async fn check(&self, database: &Database, told: ToolResult) {
        let Self { parameter, words, phone, session, .. } = self;
        let stored = match *parameter {
            "reason" => format!("select reason from appointments where session_id = '{session}'"),
            "name" => format!("select name from patients where phone = '{phone}'"),
            "specialty" => return assert_eq!(told, Ok(json!({ "rows": [] })), "{words:?}"),
            _ => {
                let failure = told.expect_err(words).failure;
                return assert_eq!(failure, ToolFailure::InvalidArgument, "{words:?}");
            }
        };
        assert_eq!(text(database, &stored).await, [*words], "{told:?}");
    }
}

/// The names of the parameters of a tool.
fn parameters(spec: &ToolSpec) -> Vec<String> {
    let properties = spec.parameters["properties"].as_object().cloned().unwrap_or_default();
    properties.keys().cloned().collect()
}

#[tokio::test]
async fn words_stay_words_in_every_parameter() {
    for place in place::both().await {
        let database = seeded(&place).await;
        let (settings, factory) = (place.settings(), factory(&place));
        let (schema, before) = (verify::read(&settings).await.unwrap(), rows(&database).await);
        let mut slots = slots().into_iter();
        for spec in factory.tools() {
            for parameter in parameters(&spec) {
                for (index, words) in CORPUS.iter().enumerate() {
                    let (tool, parameter) = (spec.name.as_str(), parameter.as_str());
                    // Only those who register are no patients yet.
                    let registers = tool == "register_patient";
                    let number = if registers { 2000 + index } else { 101 };
                    let phone = format!("+44163296{number:04}");
                    let session = format!("{tool} {parameter} {index}");
                    let booked = if parameter == "reason" { slots.next() } else { None };
                    let slot = booked.unwrap_or_else(|| "2026-03-27T16:30:00Z".to_owned());
                    let mut given = arguments(tool, &slot);
                    given[parameter] = json!(words);
                    let attempt = Try { tool, parameter, words, phone, session };
                    let told = attempt.make(&factory, given).await;
                    attempt.check(&database, told).await;
                }
            }
            assert_eq!(rows(&database).await, before, "{:?}: {}", place.dialect, spec.name);
        }
        assert_eq!(verify::read(&settings).await.unwrap(), schema, "{:?}", place.dialect);
        assert_eq!(verify::verify(&settings).await.unwrap(), []);
    }
}

#[tokio::test]
async fn words_stay_words_in_the_callers_name() {
    for place in place::both().await {
        let (database, factory) = (seeded(&place).await, factory(&place));
        let before = rows(&database).await;
        for spec in factory.tools() {
            for (index, words) in CORPUS.iter().enumerate() {
                let (tool, session) = (spec.name.as_str(), format!("{} {index}", spec.name));
                let phone = (*words).to_owned();
                let attempt = Try { tool, parameter: "", words, phone, session };
                let told = attempt.make(&factory, arguments(tool, "2026-03-10T10:00:00Z")).await;
                match tool {
                    "find_doctors" | "find_free_slots" => assert!(told.is_ok(), "{told:?}"),
                    "my_appointments" => assert_eq!(told, Ok(json!({ "rows": [] }))),
                    "register_patient" => {
                        let withheld = ToolFailure::Named("number_withheld".to_owned());
                        assert_eq!(told.unwrap_err().failure, withheld);
                    }
                    _ => assert_eq!(told.unwrap_err().failure, ToolFailure::NotFound),
                }
            }
        }
        assert_eq!(rows(&database).await, before, "{:?}", place.dialect);
        assert_eq!(number(&database, "select count(*) from tool_calls").await, 0);
        assert_eq!(verify::verify(&place.settings()).await.unwrap(), []);
    }
}
