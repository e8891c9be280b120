//! What a call booked, for those who look after it.

use chrono::{DateTime, Utc};

use crate::connection::Connection;
use crate::error::DatabaseError;
use crate::pool::Database;

/// A row of `appointments`, with the names that it refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appointment {
    /// Its id.
    pub id: i64,
    /// The patient's name.
    pub patient: String,
    /// The doctor's name.
    pub doctor: String,
    /// When it begins.
    pub starts_at: DateTime<Utc>,
    /// The doctor's time zone, an IANA name.
    pub time_zone: String,
    /// `booked` or `cancelled`.
    pub status: String,
}

const OF_CALL: &str = "
  select appointments.id, patients.name as patient, doctors.name as doctor,
    appointment_datetime as starts_at, time_zone, status
  from appointments
    join patients on patients.id = patient_id
    join doctors on doctors.id = doctor_id
  where session_id = $1
  order by appointment_datetime";

/// What the call `session_id` booked, in the order of time.
///
/// # Errors
/// Where the database does not answer, or lacks the clinic's tables.
pub async fn of_call(
    database: &Database,
    session_id: &str,
) -> Result<Vec<Appointment>, DatabaseError> {
    let mut lease = database.acquire().await?;
    let rows: Vec<Columns> = match lease.connection() {
        Connection::Postgres(it) => {
            sqlx::query_as(OF_CALL).bind(session_id).fetch_all(&mut **it).await?
        }
        Connection::Sqlite(it) => {
            sqlx::query_as(OF_CALL).bind(session_id).fetch_all(&mut **it).await?
        }
    };
    Ok(rows.into_iter().map(Appointment::from).collect())
}

/// The columns of `OF_CALL`.
type Columns = (i64, String, String, DateTime<Utc>, String, String);

impl From<Columns> for Appointment {
    fn from((id, patient, doctor, starts_at, time_zone, status): Columns) -> Self {
        Self { id, patient, doctor, starts_at, time_zone, status }
    }
}
