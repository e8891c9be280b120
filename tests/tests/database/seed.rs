//! Sample data: twice the same, and never in production.

use chrono::NaiveDate;
use sqlx::AssertSqlSafe;
use voicegraph_database::seed::{self, Guard, SeedError};
use voicegraph_database::{Connection, Database, Dialect};

use crate::place::{self, number};

const TABLES: [&str; 4] = ["patients", "doctors", "doctor_shifts", "appointments"];

/// Every row of the four tables, as text.
async fn rows(database: &Database) -> Vec<String> {
    let mut rows = Vec::new();
    for table in TABLES {
        let mut lease = database.acquire().await.unwrap();
        let columns = match table {
            "patients" => "phone || name || created_at",
            "doctors" => "registration_number || name || created_at",
            "doctor_shifts" => "doctor_id || ' ' || starts_at || ends_at",
            _ => "doctor_id || ' ' || patient_id || appointment_datetime || ends_at || created_at",
        };
        let sql = format!("select '{table} ' || id || ' ' || {columns} from {table} order by id");
        let query = AssertSqlSafe(sql);
        let read: Result<Vec<String>, _> = match lease.connection() {
            Connection::Postgres(it) => sqlx::query_scalar(query).fetch_all(&mut **it).await,
            Connection::Sqlite(it) => sqlx::query_scalar(query).fetch_all(&mut **it).await,
        };
        rows.extend(read.unwrap());
    }
    rows
}

#[tokio::test]
async fn a_second_run_leaves_equal_tables() {
    let monday = NaiveDate::from_ymd_opt(2026, 3, 9).unwrap();
    for place in place::both().await {
        let (database, settings) = (place.migrated().await, place.settings());
        let seed = async |day| seed::seed(&settings, day, Some("dev"), Guard::Up).await.unwrap();
        seed(monday).await;
        let first = rows(&database).await;
        assert_eq!(number(&database, "select count(*) from doctor_shifts").await, 4 * 15 * 2);
        assert_eq!(number(&database, "select count(*) from appointments").await, 6);
        seed(monday).await;
        assert_eq!(rows(&database).await, first, "{:?}", place.dialect);
        seed(monday.succ_opt().unwrap()).await;
        let later = rows(&database).await;
        let kept = first.iter().filter(|row| later.contains(row)).count();
        assert_eq!((kept, later.len() > first.len()), (first.len(), true));
    }
}

#[tokio::test]
async fn production_stays_as_it_is_unless_it_is_forced() {
    let day = NaiveDate::from_ymd_opt(2026, 3, 9).unwrap();
    for place in place::both().await {
        let (database, settings) = (place.migrated().await, place.settings());
        let mut environments = vec![Some("production")];
        environments.extend((place.dialect == Dialect::Postgres).then_some(None));
        for environment in environments {
            let refused = seed::seed(&settings, day, environment, Guard::Up).await.unwrap_err();
            assert!(matches!(refused, SeedError::Production(_)), "{refused}");
            assert!(refused.to_string().contains("--force"), "{refused}");
        }
        assert_eq!(rows(&database).await, Vec::<String>::new());
        seed::seed(&settings, day, Some("production"), Guard::Forced).await.unwrap();
        assert_eq!(number(&database, "select count(*) from patients").await, 5);
    }
}
