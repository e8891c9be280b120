//! The pool: limits, order, shrinking, dead connections, an outage.

use std::time::Duration;

use futures_util::poll;
use tokio::time::timeout;
use voicegraph_database::{Database, DatabaseError, Dialect, Lease, Options};
use voicegraph_tests::postgres::{Postgres, Tls};

use crate::place::{self, Place};

/// How long what must happen may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// A pool with these limits. Whoever waits, waits longer than the test.
pub(crate) fn pool(place: &Place, max_kept: u32, max_overflow: u32) -> Database {
    let options = Options {
        max_kept,
        max_overflow,
        acquire_timeout_ms: 60_000,
        statement_timeout_ms: 60_000,
        ..place.options()
    };
    Database::open(options.build("dev").unwrap())
}

/// A pool with the default limits, but for its patience: on a busy machine thirty handshakes take
/// longer than a caller would wait.
fn patient(place: &Place) -> Database {
    let options = Options { acquire_timeout_ms: 60_000, ..place.options() };
    Database::open(options.build("dev").unwrap())
}

async fn hold(database: &Database, count: usize) -> Vec<Lease> {
    let leases = (0..count).map(|_| database.acquire());
    let leases = timeout(LIMIT, futures_util::future::try_join_all(leases)).await;
    leases.expect("in time").unwrap()
}

#[tokio::test]
async fn thirty_are_open_at_most_and_ten_when_idle() {
    for place in place::both().await {
        let database = patient(&place);
        let leases = hold(&database, 30).await;
        let mut one_more = std::pin::pin!(database.acquire());
        assert!(poll!(&mut one_more).is_pending());
        let full = database.figures();
        assert_eq!((full.size, full.in_use, full.overflow, full.waiting), (30, 30, 20, 1));
        drop(leases);
        drop(timeout(LIMIT, one_more).await.expect("in time").unwrap());
        let idle = database.figures();
        assert_eq!((idle.size, idle.idle, idle.overflow, idle.waiting), (10, 10, 0, 0));
        assert_eq!((idle.acquired, idle.acquire_us.len()), (31, 31));
    }
}

#[tokio::test]
async fn who_waits_too_long_is_told_and_leaves_the_queue() {
    for place in place::both().await {
        let options =
            Options { max_kept: 1, max_overflow: 0, acquire_timeout_ms: 2_000, ..place.options() };
        let database = Database::open(options.build("dev").unwrap());
        let lease = database.acquire().await.unwrap();
        let expected = DatabaseError::Timeout { what: "the wait for a connection" };
        let waiters = [database.acquire(), database.acquire()];
        for late in futures_util::future::join_all(waiters).await {
            assert_eq!(late.unwrap_err(), expected);
        }
        assert_eq!((database.figures().timeouts, database.figures().waiting), (2, 0));
        drop(lease);
        database.acquire().await.unwrap();
    }
}

#[tokio::test]
async fn a_transaction_left_open_is_nobody_elses() {
    use sqlx::{Connection as _, Executor as _};
    let Some(place) = place::postgres().await else { return };
    place.migrated().await.close().await;
    let database = pool(&place, 1, 0);
    let insert = "insert into tool_calls (key, session_id, tool) values ('k', 's', 't')";
    let mut lease = database.acquire().await.unwrap();
    let mut transaction = lease.postgres().unwrap().begin().await.unwrap();
    transaction.execute(insert).await.unwrap();
    drop(transaction);
    drop(lease);
    assert_eq!(place::number(&database, "select count(*) from tool_calls").await, 0);
    place::run(&database, insert).await.unwrap();
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_cancelled() {
    let Some(place) = place::postgres().await else { return };
    let options = Options { statement_timeout_ms: 500, ..place.options() };
    let database = Database::open(options.build("dev").unwrap());
    let late = place::run(&database, "select pg_sleep(60)").await;
    assert_eq!(late, Err(DatabaseError::Timeout { what: "the statement" }));
    assert_eq!(place::number(&database, "select 1::bigint").await, 1);
}

#[tokio::test]
async fn a_connection_busy_with_a_given_up_statement_is_replaced() {
    let Some(place) = place::postgres().await else { return };
    let (database, watching) = (pool(&place, 1, 0), patient(&place));
    let seen = "select count(*) from pg_stat_activity
                where wait_event = 'PgSleep' and datname = current_database()";
    let until_asleep = async { while place::number(&watching, seen).await == 0 {} };
    tokio::select! {
        biased;
        slept = place::run(&database, "select pg_sleep(60)") => panic!("{slept:?}"),
        asleep = timeout(LIMIT, until_asleep) => asleep.expect("in time"),
    }
    assert_eq!(database.figures().idle, 1);
    assert_eq!(place::number(&database, "select 1::bigint").await, 1);
    assert_eq!(database.figures().replaced, 1);
}

#[tokio::test]
async fn health_is_an_answer_in_time() {
    for place in place::both().await {
        let database = pool(&place, 1, 0);
        let took = database.health(LIMIT).await.unwrap();
        assert!(took > Duration::ZERO && took < LIMIT);
        let _lease = database.acquire().await.unwrap();
        let busy = database.health(Duration::from_millis(50)).await.unwrap_err();
        assert!(matches!(busy, DatabaseError::Timeout { .. }), "{busy}");
        database.close().await;
        let closed = database.health(LIMIT).await.unwrap_err();
        assert_eq!(closed.to_string(), "the database was closed");
    }
}

#[tokio::test]
async fn an_outage_is_told_at_once_and_over_when_it_is_over() {
    let Some(server) = Postgres::start("database", Tls::On) else { return };
    let url = server.url("postgres");
    let place = Place::of(Dialect::Postgres, url, Some(server.authority()));
    let database = patient(&place);
    drop(hold(&database, 5).await);
    server.pause();
    for _ in 0..7 {
        let told = timeout(LIMIT, database.acquire()).await.expect("in time").unwrap_err();
        assert!(matches!(told, DatabaseError::Unavailable(_)), "{told}");
    }
    server.resume();
    database.health(LIMIT).await.unwrap();
    assert_eq!(database.figures().replaced, 5);
}
