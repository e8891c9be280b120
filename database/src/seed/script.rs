//! The sample data as SQL that both dialects read. All of it is ours: no value comes from outside.

use std::fmt::Write as _;

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::Tz;

use super::people::{APPOINTMENTS, DOCTORS, PATIENTS};

/// How many working days have shifts: three weeks, as far as callers ask.
const WORKING_DAYS: usize = 15;

/// The hours of a working day, by the doctor's clock.
const SHIFTS: [(u32, u32); 2] = [(9, 12), (13, 17)];

/// How long a sample appointment lasts.
const APPOINTMENT: TimeDelta = TimeDelta::minutes(30);

/// The statements that add what is missing around `today`.
pub fn script(today: NaiveDate) -> String {
    let days = working_days(today);
    let mut sql = String::new();
    let written = write_people(&mut sql)
        .and_then(|()| write_shifts(&mut sql, &days))
        .and_then(|()| write_appointments(&mut sql, &days));
    written.expect("a string takes all");
    sql
}

/// The next days from `today` on that are no weekend.
fn working_days(today: NaiveDate) -> Vec<NaiveDate> {
    let working = |day: &NaiveDate| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
    today.iter_days().filter(working).take(WORKING_DAYS).collect()
}

fn write_people(sql: &mut String) -> std::fmt::Result {
    for it in PATIENTS {
        writeln!(
            sql,
            "insert into patients (name, phone, date_of_birth) values ('{}', '{}', '{}') \
             on conflict (phone) do nothing;",
            it.name, it.phone, it.date_of_birth
        )?;
    }
    for it in DOCTORS {
        writeln!(
            sql,
            "insert into doctors (name, registration_number, specialty, time_zone) \
             values ('{}', '{}', '{}', '{}') on conflict (registration_number) do nothing;",
            it.name,
            it.registration_number,
            it.specialty,
            it.time_zone.name()
        )?;
    }
    Ok(())
}

fn write_shifts(sql: &mut String, days: &[NaiveDate]) -> std::fmt::Result {
    let all = DOCTORS.iter().flat_map(|doctor| days.iter().map(move |day| (doctor, *day)));
    for (doctor, day) in all {
        for (from, to) in SHIFTS {
            let from = text(at(doctor.time_zone, day, from));
            let to = text(at(doctor.time_zone, day, to));
            writeln!(
                sql,
                "insert into doctor_shifts (doctor_id, day, starts_at, ends_at) \
                 select id, '{day}', '{from}', '{to}' from doctors where registration_number = '{}' \
                 and not exists (select 1 from doctor_shifts where doctor_id = doctors.id \
                 and starts_at < '{to}' and '{from}' < ends_at);",
                doctor.registration_number
            )?;
        }
    }
    Ok(())
}

/// An appointment whose time is taken, by a call or an earlier sample, is left out.
fn write_appointments(sql: &mut String, days: &[NaiveDate]) -> std::fmt::Result {
    for it in APPOINTMENTS {
        let (doctor, patient) = (&DOCTORS[it.doctor], &PATIENTS[it.patient]);
        let starts = at(doctor.time_zone, days[it.weekday], it.hour);
        let (from, to) = (text(starts), text(starts + APPOINTMENT));
        writeln!(
            sql,
            "insert into appointments (doctor_id, patient_id, appointment_datetime, ends_at, reason) \
             select doctors.id, patients.id, '{from}', '{to}', '{}' from doctors, patients \
             where registration_number = '{}' and phone = '{}' \
             and not exists (select 1 from appointments where doctor_id = doctors.id \
             and appointment_datetime < '{to}' and '{from}' < ends_at);",
            it.reason, doctor.registration_number, patient.phone
        )?;
    }
    Ok(())
}

/// An hour of a doctor's clock. Where clocks change it is the earlier of two, or the next day's if
/// there is none; the hours here are never changed ones.
fn at(zone: Tz, day: NaiveDate, hour: u32) -> DateTime<Utc> {
    let local = day.and_hms_opt(hour, 0, 0).expect("an hour of the day");
    let found = zone.from_local_datetime(&local).earliest();
    let next = || zone.from_local_datetime(&(local + Days::new(1))).earliest();
    found.or_else(next).expect("clocks do not change two days running").to_utc()
}

/// In the one form that SQLite's schema takes.
fn text(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nine_o_clock_is_the_doctors_whatever_the_season() {
        let day = |month, day| NaiveDate::from_ymd_opt(2026, month, day).expect("a day");
        for (zone, day, expected) in [
            (Tz::Europe__London, day(1, 15), "2026-01-15T09:00:00Z"),
            (Tz::Europe__London, day(7, 15), "2026-07-15T08:00:00Z"),
            (Tz::America__New_York, day(1, 15), "2026-01-15T14:00:00Z"),
        ] {
            assert_eq!(text(at(zone, day, 9)), expected);
        }
    }

    #[test]
    fn weekends_are_passed_over() {
        let saturday = NaiveDate::from_ymd_opt(2026, 3, 7).expect("a day");
        let days = working_days(saturday);
        assert_eq!(
            (days.len(), days[0].weekday(), days[5].weekday()),
            (15, Weekday::Mon, Weekday::Mon)
        );
    }
}
