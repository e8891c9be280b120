//! Idempotency: one booking asked for again and again, by several callers, over two pools as two
//! processes have them, with turns interrupted, calls hung up and connections lost in between,
//! makes one row.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value as Json, json};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use voicegraph_database::{Database, Dialect};
use voicegraph_engine::message::{ToolFailure, ToolResult};
use voicegraph_engine::node::{Kind, NodeFactory};
use voicegraph_nodes::db_tool::{DbTool, Options};
use voicegraph_tests::cut::Way;
use voicegraph_tests::postgres::Postgres;

use crate::place::{self, Place, number, run};
use crate::tools::{Caller, PEOPLE};

/// How many runs there are for each dialect.
const CASES: u32 = 120;

/// How long an answer may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// How many nodes serve the same session: more than one when a call was moved to another process.
const CALLERS: usize = 3;

/// What happens. The number says to which caller.
#[derive(Clone, Copy, Debug)]
enum Act {
    Book(usize),
    Interrupt(usize),
    HangUp(usize),
    /// Every connection to the server is lost; a file has none.
    Cut,
    /// So many µs pass. A booking takes some thousands.
    Pass(u64),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        8 => (0..CALLERS).prop_map(Act::Book),
        2 => (0..CALLERS).prop_map(Act::Interrupt),
        1 => (0..CALLERS).prop_map(Act::HangUp),
        1 => Just(Act::Cut),
        4 => (0_u64..4_000).prop_map(Act::Pass),
    ];
    prop::collection::vec(act, 2..16)
}

/// What all runs share.
struct World {
    place: Place,
    database: Database,
    /// Two processes.
    factories: [Arc<dyn NodeFactory>; 2],
    way: Option<Way>,
    /// The number of the run, and of its doctor.
    count: AtomicU32,
}

impl World {
    async fn new(mut place: Place) -> Self {
        let database = place.migrated().await;
        run(&database, PEOPLE).await.unwrap();
        let mut way = None;
        if place.dialect == Dialect::Postgres {
            let port = Postgres::shared("database").unwrap().port();
            let cut = Way::to(port).await;
            place.url = place.url.replace(&format!(":{port}/"), &format!(":{}/", cut.port()));
            way = Some(cut);
        }
        let factories = [factory(&place), factory(&place)];
        Self { place, database, factories, way, count: AtomicU32::new(100) }
    }

    /// A doctor whom nobody has booked.
    async fn doctor(&self) -> u32 {
        let id = self.count.fetch_add(1, Ordering::Relaxed);
        let sql = format!(
            "insert into doctors (id, name, registration_number, specialty, time_zone)
               values ({id}, 'Dr {id}', 'R{id}', 'cardiology', 'Europe/Berlin');
             insert into doctor_shifts (doctor_id, day, starts_at, ends_at)
               values ({id}, '2026-03-09', '2026-03-09T08:00:00Z', '2026-03-09T12:00:00Z');"
        );
        run(&self.database, &sql).await.unwrap();
        id
    }

    async fn rows(&self, doctor: u32) -> [i64; 2] {
        let booked = format!("select count(*) from appointments where doctor_id = {doctor}");
        let keys = format!("select count(*) from tool_calls where session_id = 's{doctor}'");
        [number(&self.database, &booked).await, number(&self.database, &keys).await]
    }
}

fn factory(place: &Place) -> Arc<dyn NodeFactory> {
    let options = json!({
        "database": {
            "url": place.url, "root_certificates": place.authority, "acquire_timeout_ms": 20_000,
        },
        "tools": [{
            "name": "book", "description": "Books.", "effect": "write", "timeout_ms": 30_000,
            "parameters": {
                "doctor_id": { "type": "integer" },
                "starts_at": { "type": "string", "format": "date-time" },
                "ends_at": { "type": "string", "format": "date-time" },
            },
            "sql": "insert into appointments
                      (doctor_id, patient_id, appointment_datetime, ends_at, session_id)
                    values (:doctor_id, 11, :starts_at, :ends_at, :session_id) returning id",
        }],
    });
    let options: Options = serde_json::from_value(options).unwrap();
    DbTool::build(options, "staging").unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// A booking that was asked for.
struct Asked {
    by: usize,
    result: oneshot::Receiver<ToolResult>,
    /// Whether nothing happened since that may keep the result away.
    is_due: bool,
}

/// One run.
struct Run<'a> {
    world: &'a World,
    doctor: u32,
    callers: Vec<Caller>,
    asked: Vec<Asked>,
}

impl<'a> Run<'a> {
    async fn new(world: &'a World) -> Self {
        let doctor = world.doctor().await;
        let callers = (0..CALLERS).map(|index| caller(world, doctor, index)).collect();
        Self { world, doctor, callers, asked: Vec::new() }
    }

    async fn act(&mut self, act: Act) {
        match act {
            Act::Book(by) => {
                let result = self.callers[by].ask("book", booking(self.doctor)).await;
                self.asked.push(Asked { by, result, is_due: true });
            }
            Act::Interrupt(by) => {
                self.callers[by].interrupt();
                self.excuse(by);
            }
            Act::HangUp(by) => {
                let next = caller(self.world, self.doctor, by + 1);
                self.excuse(by);
                std::mem::replace(&mut self.callers[by], next).hang_up().await;
            }
            Act::Cut => {
                if let Some(way) = &self.world.way {
                    way.cut();
                }
            }
            Act::Pass(us) => sleep(Duration::from_micros(us)).await,
        }
    }

    /// What waits in the queue of an interrupted turn, or of a call that is over, is not begun.
    fn excuse(&mut self, by: usize) {
        for asked in self.asked.iter_mut().filter(|asked| asked.by == by) {
            asked.is_due = false;
        }
    }

    /// What was answered, once the last who asked has an answer or can have none.
    async fn results(&mut self) -> Vec<ToolResult> {
        let mut results = Vec::new();
        for asked in self.asked.drain(..) {
            let result = timeout(LIMIT, asked.result).await.expect("in time");
            assert!(result.is_ok() || !asked.is_due, "no answer");
            results.extend(result);
        }
        results
    }
}

fn caller(world: &World, doctor: u32, index: usize) -> Caller {
    Caller::new(&world.factories[index % world.factories.len()], &format!("s{doctor}"))
}

fn booking(doctor: u32) -> Json {
    let (starts_at, ends_at) = ("2026-03-09T09:00:00Z", "2026-03-09T09:30:00Z");
    json!({ "doctor_id": doctor, "starts_at": starts_at, "ends_at": ends_at })
}

async fn check(world: &World, acts: &[Act]) {
    let mut run = Run::new(world).await;
    for act in acts {
        run.act(*act).await;
    }
    let told = run.results().await;
    let was_cut = world.way.is_some() && acts.iter().any(|act| matches!(act, Act::Cut));
    // The callers' nodes are through with everything, also with what nobody waits for.
    for caller in run.callers.drain(..) {
        caller.end().await;
    }
    let mut last = caller(world, run.doctor, 0);
    let booked = last.use_tool("book", booking(run.doctor)).await;
    last.end().await;
    assert!(booked.is_ok(), "{booked:?}");
    for result in told {
        let lost = result.as_ref().is_err_and(|it| it.failure == ToolFailure::Unavailable);
        assert!(result == booked || (was_cut && lost), "{result:?}, and at last {booked:?}");
    }
    assert_eq!(world.rows(run.doctor).await, [1, 1]);
}

#[test]
fn any_order_of_repeats_makes_one_row() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for place in runtime.block_on(place::both()) {
        let world = runtime.block_on(World::new(place));
        let config = Config { failure_persistence: None, ..Config::with_cases(CASES) };
        let tried = TestRunner::new(config).run(&acts(), |acts| {
            runtime.block_on(check(&world, &acts));
            Ok(())
        });
        tried.unwrap_or_else(|error| panic!("{:?}: {error}", world.place.dialect));
    }
}
