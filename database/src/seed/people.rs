//! Who is in the sample data. The phone numbers are Ofcom's for drama, which belong to nobody.

use chrono_tz::Tz;

/// A sample doctor.
pub(super) struct Doctor {
    pub(super) name: &'static str,
    pub(super) registration_number: &'static str,
    pub(super) specialty: &'static str,
    pub(super) time_zone: Tz,
}

/// A sample patient.
pub(super) struct Patient {
    pub(super) name: &'static str,
    pub(super) phone: &'static str,
    pub(super) date_of_birth: &'static str,
}

/// A sample appointment: who with whom, so many days from today, at an hour of the doctor's clock.
pub(super) struct Appointment {
    pub(super) doctor: usize,
    pub(super) patient: usize,
    pub(super) weekday: usize,
    pub(super) hour: u32,
    pub(super) reason: &'static str,
}

const fn doctor(
    name: &'static str,
    registration_number: &'static str,
    specialty: &'static str,
    time_zone: Tz,
) -> Doctor {
    Doctor { name, registration_number, specialty, time_zone }
}

const fn patient(name: &'static str, phone: &'static str, date_of_birth: &'static str) -> Patient {
    Patient { name, phone, date_of_birth }
}

pub(super) const DOCTORS: &[Doctor] = &[
    doctor("Dr Amelia Hart", "SAMPLE-1001", "general practice", Tz::Europe__London),
    doctor("Dr Jonas Lind", "SAMPLE-1002", "cardiology", Tz::Europe__London),
    doctor("Dr Priya Raman", "SAMPLE-1003", "dermatology", Tz::Europe__London),
    doctor("Dr Samuel Okafor", "SAMPLE-1004", "cardiology", Tz::America__New_York),
];

pub(super) const PATIENTS: &[Patient] = &[
    patient("Ada Whitfield", "+441632960101", "1961-12-10"),
    patient("Ben Carrow", "+441632960102", "1978-03-02"),
    patient("Chloe Marsh", "+441632960103", "1994-07-21"),
    patient("Daniel Price", "+441632960104", "2001-01-30"),
    patient("Elif Demir", "+441632960105", "1986-09-14"),
];

/// `doctor` and `patient` are places in the lists above, `weekday` one in the span of working days.
pub(super) const APPOINTMENTS: &[Appointment] = &[
    Appointment { doctor: 0, patient: 0, weekday: 0, hour: 9, reason: "check-up" },
    Appointment { doctor: 0, patient: 1, weekday: 1, hour: 11, reason: "blood pressure" },
    Appointment { doctor: 1, patient: 2, weekday: 1, hour: 9, reason: "chest pain" },
    Appointment { doctor: 1, patient: 0, weekday: 3, hour: 14, reason: "follow-up" },
    Appointment { doctor: 2, patient: 3, weekday: 2, hour: 11, reason: "rash" },
    Appointment { doctor: 3, patient: 4, weekday: 4, hour: 15, reason: "second opinion" },
];
