//! The node `db_tool` on the clinic's schema, in both dialects.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::{Value as Json, json};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use voicegraph_database::Dialect;
use voicegraph_engine::connect::{Connector, Roots};
use voicegraph_engine::edge::{EdgeMeter, Limit, Output, Overflow, edge};
use voicegraph_engine::event::Observers;
use voicegraph_engine::message::{
    Envelope, ToolCall, ToolError, ToolFailure, ToolReply, ToolResult,
};
use voicegraph_engine::node::{Context, Kind, NodeError, NodeFactory, Ports};
use voicegraph_engine::turn::{Anchor, Beginning, Turn, TurnControl};
use voicegraph_nodes::db_tool::{DbTool, Options};
use voicegraph_tests::cut::Way;
use voicegraph_tests::postgres::{Postgres, Tls};
use voicegraph_tests::typed::CALLS_AT;

use crate::place::{self, Place, number, run};

/// Far above what anything here takes, so that a hang is a failure.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) const PEOPLE: &str = "
  insert into patients (id, name, phone) values (11, 'Ada', '+441632960001');
  insert into doctors (id, name, registration_number, specialty, time_zone)
    values (1, 'Dr Lind', 'R1', 'cardiology', 'Europe/Berlin');
  insert into doctor_shifts (doctor_id, day, starts_at, ends_at)
    values (1, '2026-03-09', '2026-03-09T08:00:00Z', '2026-03-09T12:00:00Z');";

/// One caller's node.
pub(crate) struct Caller {
    call: Output<ToolCall>,
    control: TurnControl,
    cancelled: CancellationToken,
    running: JoinHandle<Result<(), NodeError>>,
}

impl Caller {
    pub(crate) fn new(factory: &Arc<dyn NodeFactory>, session: &str) -> Self {
        Self::known(factory, session, None)
    }

    /// One whose phone number is known, or not.
    pub(crate) fn known(
        factory: &Arc<dyn NodeFactory>,
        session: &str,
        number: Option<&str>,
    ) -> Self {
        let meter = EdgeMeter::new("llm.call -> tools.call", Limit::count(4), Overflow::Block);
        let connector = Connector::new(&Roots::default());
        let mut ctx = Context::for_test(connector, Observers::default());
        ctx.session_id = session.into();
        ctx.caller = number.map(Into::into);
        ctx.started_at = SystemTime::UNIX_EPOCH + CALLS_AT;
        let cancelled = ctx.cancelled.clone();
        let control = TurnControl::new(cancelled.clone(), Observers::default());
        let (call, input) = edge(&meter, cancelled.clone());
        let mut ports = Ports::default();
        ports.add_input("call", input);
        let running = tokio::spawn(factory.create().run(ports, ctx));
        Self { call, control, cancelled, running }
    }

    pub(crate) async fn use_tool(&mut self, name: &str, arguments: Json) -> ToolResult {
        let receiver = self.ask(name, arguments).await;
        timeout(PATIENCE, receiver).await.expect("the tool answers").expect("with a result")
    }

    /// Calls a tool in the turn in progress, and does not wait for the result.
    pub(crate) async fn ask(
        &mut self,
        name: &str,
        arguments: Json,
    ) -> oneshot::Receiver<ToolResult> {
        let turn = self.control.current().unwrap_or_else(|| self.begin());
        let (reply, receiver) = ToolReply::new();
        let call = ToolCall { id: "1".into(), name: name.into(), arguments, reply };
        self.call.send(Envelope::turn(&turn, call)).await.unwrap();
        receiver
    }

    fn begin(&mut self) -> Turn {
        let (text, now) = (String::new(), Instant::now());
        let anchor = Anchor::Vad;
        self.control.begin(&Beginning { text, origin: now, anchor, transcript: None, settled: now })
    }

    /// Interrupts the turn in progress.
    pub(crate) fn interrupt(&mut self) {
        self.control.interrupt(Instant::now());
    }

    /// Cancels the call, and waits for its node.
    pub(crate) async fn hang_up(self) {
        self.cancelled.cancel();
        self.end().await;
    }

    pub(crate) async fn end(self) {
        drop(self.call);
        timeout(PATIENCE, self.running).await.expect("the node ends").unwrap().unwrap();
    }
}

fn factory(place: &Place, timeout_ms: u32) -> Arc<dyn NodeFactory> {
    let book = "insert into appointments
                  (doctor_id, patient_id, appointment_datetime, ends_at, reason, session_id)";
    let options = json!({
        "database": {
            "url": place.url, "root_certificates": place.authority, "acquire_timeout_ms": 20_000,
        },
        "tools": [
            {
                "name": "book", "description": "Books.", "effect": "write",
                "timeout_ms": timeout_ms,
                "parameters": {
                    "doctor_id": { "type": "integer" },
                    "starts_at": { "type": "string", "format": "date-time" },
                    "reason": { "type": "string", "required": false },
                },
                "errors": {
                    "appointments_no_overlap": "slot_taken",
                    "appointments_within_shift": "not_found",
                },
                "sql": {
                    "postgres": format!("{book} values (:doctor_id, 11, :starts_at,
                        :starts_at + interval '30 minutes', coalesce(:reason, ''), :session_id)
                        returning appointment_datetime, reason"),
                    "sqlite": format!("{book} values (:doctor_id, 11, :starts_at,
                        strftime('%Y-%m-%dT%H:%M:%SZ', :starts_at, '+30 minutes'),
                        coalesce(:reason, ''), :session_id)
                        returning appointment_datetime, reason"),
                },
            },
            {
                "name": "echo", "description": "Echoes.", "effect": "read",
                "parameters": {
                    "text": { "type": "string", "required": false },
                    "whole": { "type": "integer", "required": false },
                    "number": { "type": "number", "required": false },
                    "day": { "type": "string", "format": "date", "required": false },
                    "at": { "type": "string", "format": "date-time", "required": false },
                    "time": { "type": "string", "format": "time", "required": false },
                },
                "sql": "select :text as text, :whole as whole, :number as number, :day as day,
                               :at as at, :time as time",
            },
        ],
    });
    let options: Options = serde_json::from_value(options).unwrap();
    DbTool::build(options, "staging").unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn slot(starts_at: &str) -> Json {
    json!({ "doctor_id": 1, "starts_at": format!("2026-03-09T{starts_at}:00Z") })
}

fn named(name: &str) -> ToolError {
    let failure = ToolFailure::Named(name.into());
    ToolError { failure, message: name.replace('_', " ") }
}

#[tokio::test]
async fn a_booking_is_made_once_and_its_failures_are_named() {
    for place in place::both().await {
        let database = place.migrated().await;
        run(&database, PEOPLE).await.unwrap();
        let factory = factory(&place, 5_000);
        assert_eq!(factory.verify().await, [], "{:?}", place.dialect);
        let (mut one, mut other) = (Caller::new(&factory, "a"), Caller::new(&factory, "b"));
        let row = json!({ "appointment_datetime": "2026-03-09T09:00:00Z", "reason": "" });
        let booked = Ok(json!({ "rows": [row] }));
        assert_eq!(one.use_tool("book", slot("09:00")).await, booked, "{:?}", place.dialect);
        assert_eq!(one.use_tool("book", slot("09:00")).await, booked);
        assert_eq!(other.use_tool("book", slot("09:15")).await, Err(named("slot_taken")));
        let outside = other.use_tool("book", slot("14:00")).await.unwrap_err();
        assert_eq!(outside.failure, ToolFailure::NotFound);
        for table in ["appointments", "tool_calls"] {
            assert_eq!(number(&database, &format!("select count(*) from {table}")).await, 1);
        }
        one.end().await;
        other.end().await;
    }
}

#[tokio::test]
async fn values_of_every_type_go_in_and_come_out() {
    for place in place::both().await {
        place.migrated().await;
        let mut caller = Caller::new(&factory(&place, 5_000), "a");
        let given = json!({
            "text": "'); drop table doctors; --", "whole": 9_007_199_254_740_993_i64,
            "number": 0.5, "day": "2026-03-09", "at": "2026-03-09T09:00:00Z", "time": "09:30:00",
        });
        let told = caller.use_tool("echo", given.clone()).await;
        assert_eq!(told, Ok(json!({ "rows": [given] })), "{:?}", place.dialect);
        let keys = ["text", "whole", "number", "day", "at", "time"];
        let nothing: Json = keys.iter().map(|key| ((*key).to_owned(), Json::Null)).collect();
        let told = caller.use_tool("echo", json!({})).await;
        assert_eq!(told, Ok(json!({ "rows": [nothing] })), "{:?}", place.dialect);
        caller.end().await;
    }
}

#[tokio::test]
async fn fifty_callers_want_one_slot_and_one_has_it() {
    for place in place::both().await {
        let database = place.migrated().await;
        run(&database, PEOPLE).await.unwrap();
        let factory = factory(&place, 30_000);
        let mut callers = JoinSet::new();
        for number in 0..50 {
            let mut caller = Caller::new(&factory, &format!("caller-{number}"));
            callers.spawn(async move {
                let result = caller.use_tool("book", slot("10:00")).await;
                caller.end().await;
                result
            });
        }
        let results = callers.join_all().await;
        let taken = results.iter().filter(|one| **one == Err(named("slot_taken"))).count();
        let booked = results.iter().filter(|one| one.is_ok()).count();
        assert_eq!((booked, taken), (1, 49), "{:?}: {results:?}", place.dialect);
        assert_eq!(number(&database, "select count(*) from appointments").await, 1);
    }
}

#[tokio::test]
async fn a_server_that_stops_is_told_in_time_and_works_again_when_it_is_back() {
    let Some(server) = Postgres::start("database", Tls::On) else { return };
    let place = Place::of(Dialect::Postgres, server.database().await, Some(server.authority()));
    let database = place.migrated().await;
    run(&database, PEOPLE).await.unwrap();
    let mut caller = Caller::new(&factory(&place, 1_000), "a");
    assert!(caller.use_tool("book", slot("09:00")).await.is_ok());
    server.pause();
    let began = Instant::now();
    let failure = caller.use_tool("book", slot("10:00")).await.unwrap_err().failure;
    assert_eq!(failure, ToolFailure::Unavailable);
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    server.resume();
    assert!(caller.use_tool("book", slot("10:00")).await.is_ok());
    assert!(caller.use_tool("book", slot("09:00")).await.is_ok());
    assert_eq!(number(&database, "select count(*) from appointments").await, 2);
    caller.end().await;
}

/// Makes each commit of an appointment take its time.
const SLOW_COMMIT: &str = "
  create function dawdle() returns trigger language plpgsql as $$
    begin perform pg_sleep(0.4); return null; end $$;
  create constraint trigger dawdle after insert on appointments
    deferrable initially deferred for each row execute function dawdle();";

/// Waits until a commit dawdles.
async fn until_commit(connection: &mut sqlx::PgConnection) {
    let asked = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'";
    let dawdles = async {
        while sqlx::query_scalar::<_, i64>(asked).fetch_one(&mut *connection).await.unwrap() == 0 {}
    };
    timeout(PATIENCE, dawdles).await.expect("a commit is under way");
}

#[tokio::test]
async fn a_commit_without_an_answer_is_resolved_by_its_key() {
    let Some(server) = Postgres::start("database", Tls::On) else { return };
    let url = server.database().await;
    let name = url.rsplit('/').next().unwrap().to_owned();
    let mut place = Place::of(Dialect::Postgres, url.clone(), Some(server.authority()));
    let database = place.migrated().await;
    run(&database, PEOPLE).await.unwrap();
    run(&database, SLOW_COMMIT).await.unwrap();
    let way = Way::to(server.port()).await;
    place.url = server.url(&name).replace(&server.port().to_string(), &way.port().to_string());
    let mut caller = Caller::new(&factory(&place, 5_000), "a");
    let mut watching = server.connect(&name).await;
    let kill =
        "select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'";
    // The answer is lost, and the commit takes place; then the commit is undone by the server.
    for (starts_at, killed) in [("09:00", false), ("10:00", true)] {
        let booking = caller.use_tool("book", slot(starts_at));
        let losing = async {
            until_commit(&mut watching).await;
            if killed {
                sqlx::query(kill).execute(&mut watching).await.unwrap();
            } else {
                way.cut();
            }
        };
        let (booked, ()) = tokio::join!(booking, losing);
        let at = format!("2026-03-09T{starts_at}:00Z");
        let row = json!({ "appointment_datetime": at, "reason": "" });
        assert_eq!(booked, Ok(json!({ "rows": [row] })), "killed: {killed}");
    }
    for table in ["appointments", "tool_calls"] {
        assert_eq!(number(&database, &format!("select count(*) from {table}")).await, 2);
    }
    caller.end().await;
}
