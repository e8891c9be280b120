//! The live schema against the migrations; and that every way between versions leads to one schema.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use voicegraph_database::Dialect;
use voicegraph_database::migrate::{Down, Migrator, State};
use voicegraph_database::verify::{self, Snapshot};

use crate::place::{self, Place};

/// How many walks the property takes for each dialect.
const CASES: u32 = 100;

async fn differences(place: &Place) -> Vec<String> {
    let found = verify::verify(&place.settings()).await.unwrap();
    found.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn what_the_migrations_make_has_no_difference() {
    for place in place::both().await {
        let nothing = differences(&place).await;
        assert!(nothing.contains(&"table appointments is missing".to_owned()), "{nothing:#?}");
        place.migrated().await.close().await;
        assert_eq!(differences(&place).await, Vec::<String>::new(), "{:?}", place.dialect);
        let parts = verify::read(&place.settings()).await.unwrap().len();
        assert!(parts > 50, "only {parts} parts are compared");
    }
}

#[tokio::test]
async fn each_difference_is_named() {
    for place in place::both().await {
        place.migrated().await.close().await;
        let (changes, expected) = match place.dialect {
            Dialect::Postgres => POSTGRES,
            Dialect::Sqlite => SQLITE,
        };
        place.run(changes).await.unwrap();
        assert_eq!(differences(&place).await, expected, "{:?}", place.dialect);
    }
}

/// Changes to a schema, and what is said of them.
type Case = (&'static str, &'static [&'static str]);

const POSTGRES: Case = (
    "drop index appointments_patient_id_idx;
     alter table patients alter column date_of_birth type text;
     alter table doctors alter column specialty drop not null;
     alter table appointments drop constraint appointments_no_overlap;
     alter table appointments disable trigger appointments_within_shift;
     alter table call_records drop column end_reason;
     create table stray (id integer)",
    &[
        "column call_records.end_reason is missing",
        "column doctors.specialty is `text`, the migrations make `text not null`",
        "column patients.date_of_birth is `text`, the migrations make `date`",
        "column stray.id is in no migration",
        "constraint appointments.appointments_no_overlap is missing",
        "index appointments_no_overlap is missing",
        "index appointments_patient_id_idx is missing",
        "table stray is in no migration",
        "trigger appointments.appointments_within_shift is `CREATE TRIGGER \
         appointments_within_shift BEFORE INSERT OR UPDATE OF doctor_id, appointment_datetime, \
         ends_at, status ON appointments FOR EACH ROW WHEN (new.status = 'booked'::text) EXECUTE \
         FUNCTION appointments_check_shift() enabled: D`, the migrations make `CREATE TRIGGER \
         appointments_within_shift BEFORE INSERT OR UPDATE OF doctor_id, appointment_datetime, \
         ends_at, status ON appointments FOR EACH ROW WHEN (new.status = 'booked'::text) EXECUTE \
         FUNCTION appointments_check_shift()`",
    ],
);

const SQLITE: Case = (
    "drop index appointments_patient_id_idx;
     drop trigger appointments_no_overlap;
     alter table call_records drop column end_reason;
     drop table tool_calls;
     create table tool_calls (
       key integer not null constraint tool_calls_pkey primary key,
       session_id text not null,
       tool text,
       result text not null default 'null',
       created_at text not null default (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
     ) strict;
     create index tool_calls_session_id_idx on tool_calls (session_id);
     create table stray (id integer)",
    &[
        "column call_records.end_reason is missing",
        "column stray.id is in no migration",
        "column tool_calls.key is `integer not null key 1`, the migrations make \
         `text not null key 1`",
        "column tool_calls.tool is `text`, the migrations make `text not null`",
        "constraint tool_calls.tool_calls_result_json is missing",
        "index appointments_patient_id_idx is missing",
        "table stray is in no migration",
        "trigger appointments_no_overlap is missing",
    ],
);

/// Goes up or down to a version, and gives the schema there.
async fn go(migrator: &Migrator, place: &Place, to: i64) -> Snapshot {
    let versions = migrator.status().await.unwrap();
    let now = versions.iter().filter(|it| it.state == State::Applied).map(|it| it.version).max();
    if now.unwrap_or(0) < to {
        migrator.up(Some(to)).await.unwrap();
    } else {
        migrator.down(Down::To(to)).await.unwrap();
    }
    verify::read(&place.settings()).await.unwrap()
}

/// Walks between versions on one database; a version's schema is always the one first seen there.
fn walk(runtime: &tokio::runtime::Runtime, place: &Place) {
    let migrator = Migrator::new(&place.settings());
    let seen = std::cell::RefCell::new(BTreeMap::<i64, Snapshot>::new());
    let mut runner =
        TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(CASES) });
    let walked = runner.run(&(0_i64..=5, 0_i64..=5), |(first, second)| {
        for version in [first, second] {
            let schema = runtime.block_on(go(&migrator, place, version));
            let mut seen = seen.borrow_mut();
            let known = seen.entry(version).or_insert_with(|| schema.clone());
            prop_assert_eq!(&*known, &schema, "version {}", version);
        }
        Ok(())
    });
    walked.unwrap_or_else(|error| panic!("{:?}: {error}", place.dialect));
    let seen = seen.into_inner();
    assert_eq!(seen.len(), 6, "not every version was seen");
    assert!(seen[&0].is_empty() && seen[&5].len() > seen[&3].len());
}

#[test]
fn every_way_between_versions_leads_to_the_same_schema() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for place in runtime.block_on(place::plain()) {
        walk(&runtime, &place);
    }
}
