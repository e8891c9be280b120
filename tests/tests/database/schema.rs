//! What the schema itself forbids, whoever writes, in both dialects.

use voicegraph_database::{ConstraintKind, Database, DatabaseError};

use crate::place::{self, number, run};
use crate::pool::pool;

const PEOPLE: &str = "
  insert into patients (id, name, phone) values (11, 'Ada', '+441632960001');
  insert into doctors (id, name, registration_number, specialty, time_zone)
    values (1, 'Dr Lind', 'R1', 'cardiology', 'Europe/Berlin'),
           (2, 'Dr Voss', 'R2', 'cardiology', 'Europe/Berlin');
  insert into doctor_shifts (id, doctor_id, day, starts_at, ends_at) values
    (11, 1, '2026-03-09', '2026-03-09T08:00:00Z', '2026-03-09T12:00:00Z'),
    (12, 2, '2026-03-09', '2026-03-09T08:00:00Z', '2026-03-09T12:00:00Z');";

/// Books doctor 1 or 2 from one time to another of 9 March 2026.
fn booking(doctor: u32, from: &str, to: &str) -> String {
    format!(
        "insert into appointments (doctor_id, patient_id, appointment_datetime, ends_at)
         values ({doctor}, 11, '2026-03-09T{from}:00Z', '2026-03-09T{to}:00Z')"
    )
}

async fn check(database: &Database, sql: &str, name: &str, kind: ConstraintKind) {
    let expected = DatabaseError::Constraint { name: name.to_owned(), kind };
    let dialect = database.dialect();
    assert_eq!(run(database, sql).await, Err(expected), "{dialect:?}: {sql}");
}

#[tokio::test]
async fn two_appointments_of_one_doctor_cannot_overlap() {
    for place in place::both().await {
        let database = place.migrated().await;
        run(&database, PEOPLE).await.unwrap();
        run(&database, &booking(1, "09:00", "09:30")).await.unwrap();
        for (from, to) in [("09:00", "09:30"), ("08:45", "09:01"), ("09:29", "10:00")] {
            let kind = ConstraintKind::Exclusion;
            check(&database, &booking(1, from, to), "appointments_no_overlap", kind).await;
        }
        run(&database, &booking(1, "09:30", "10:00")).await.unwrap();
        run(&database, &booking(2, "09:00", "09:30")).await.unwrap();
        let back = "update appointments set appointment_datetime = '2026-03-09T09:15:00Z'
                    where appointment_datetime = '2026-03-09T09:30:00Z'";
        check(&database, back, "appointments_no_overlap", ConstraintKind::Exclusion).await;
        run(&database, "update appointments set status = 'cancelled' where doctor_id = 1")
            .await
            .unwrap();
        run(&database, &booking(1, "09:15", "09:45")).await.unwrap();
    }
}

#[tokio::test]
async fn of_fifty_at_once_for_one_slot_one_is_booked() {
    for place in place::both().await {
        place.migrated().await.close().await;
        place.run(PEOPLE).await.unwrap();
        let pools = [pool(&place, 5, 20), pool(&place, 5, 20)];
        for hour in 8..10 {
            let slot = booking(1, &format!("{hour:02}:00"), &format!("{hour:02}:30"));
            let all = (0..50).map(|one| run(&pools[one % 2], &slot));
            let (booked, refused): (Vec<_>, Vec<_>) =
                futures_util::future::join_all(all).await.into_iter().partition(Result::is_ok);
            let (name, kind) = ("appointments_no_overlap".to_owned(), ConstraintKind::Exclusion);
            let taken = DatabaseError::Constraint { name, kind };
            assert_eq!(refused, vec![Err(taken); 49], "{:?}", place.dialect);
            assert_eq!(booked.len(), 1);
        }
        assert_eq!(number(&pools[0], "select count(*) from appointments").await, 2);
    }
}

#[tokio::test]
async fn no_appointment_lies_outside_the_shifts() {
    for place in place::both().await {
        let database = place.migrated().await;
        run(&database, PEOPLE).await.unwrap();
        let (name, kind) = ("appointments_within_shift", ConstraintKind::Check);
        for (from, to) in [("07:59", "08:30"), ("11:45", "12:15"), ("14:00", "14:30")] {
            check(&database, &booking(1, from, to), name, kind).await;
        }
        run(&database, &booking(1, "11:30", "12:00")).await.unwrap();
        check(&database, "delete from doctor_shifts where id = 11", name, kind).await;
        let earlier = "update doctor_shifts set ends_at = '2026-03-09T11:45:00Z' where id = 11";
        check(&database, earlier, name, kind).await;
        run(&database, "delete from doctor_shifts where id = 12").await.unwrap();
    }
}

#[tokio::test]
async fn broken_rules_have_the_same_names_in_both_dialects() {
    use ConstraintKind::{Check, Exclusion, NotNull, Unique};
    for place in place::both().await {
        let database = place.migrated().await;
        run(&database, PEOPLE).await.unwrap();
        for (sql, name, kind) in [
            (
                "insert into patients (name, phone) values ('Eve', '+441632960001')",
                "patients_phone_key",
                Unique,
            ),
            (
                "insert into patients (name, phone) values ('Eve', '12')",
                "patients_phone_form",
                Check,
            ),
            ("insert into patients (name) values ('Eve')", "patients_phone_not_null", NotNull),
            (
                "insert into tool_calls (key, session_id, tool) values ('k', 's', 't'), ('k', 's', 't')",
                "tool_calls_pkey",
                Unique,
            ),
            (
                "insert into doctor_shifts (doctor_id, day, starts_at, ends_at)
                 values (1, '2026-03-09', '2026-03-09T11:00:00Z', '2026-03-09T13:00:00Z')",
                "doctor_shifts_no_overlap",
                Exclusion,
            ),
        ] {
            check(&database, sql, name, kind).await;
        }
        assert_eq!(number(&database, "select count(*) from patients").await, 1);
    }
}

#[tokio::test]
async fn an_error_never_shows_an_argument() {
    for place in place::both().await {
        let database = place.migrated().await;
        let arguments = [
            "insert into patients (name, phone) values ('top-secret', 'top-secret')",
            "insert into patients (id, name, phone) values ('top-secret', 'x', '+441632960009')",
            "insert into patients (name, phone, id) values ('x', '+441632960009', 'top-secret')",
        ];
        for sql in arguments {
            let error = run(&database, sql).await.unwrap_err();
            assert!(!format!("{error} {error:?}").contains("top-secret"), "{error:?}");
        }
        let wrong = run(&database, "select * from pateints").await.unwrap_err();
        assert!(
            matches!(&wrong, DatabaseError::Invalid { reason, .. } if reason.contains("pateints"))
        );
    }
}
