//! The pool against a model: any order of acquire, release, give up and kill.

use std::collections::VecDeque;
use std::pin::Pin;
use std::time::Duration;

use futures_util::{Future, poll};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::time::timeout;
use voicegraph_database::{Connection, Database, DatabaseError, Dialect, Lease};

use crate::place::{self, Place};
use crate::pool::pool;

/// How many runs there are for each dialect.
const CASES: u32 = 100;

/// How long what must happen may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(20);

/// The pool's limits: small, so that short runs meet them.
const MAX_KEPT: usize = 2;
const MAX_OPEN: usize = 5;

/// What somebody does. The number says to which of those there are.
#[derive(Clone, Copy, Debug)]
enum Act {
    Acquire,
    Release(usize),
    GiveUp(usize),
    Kill(usize),
    KillAll,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        6 => Just(Act::Acquire),
        4 => (0_usize..8).prop_map(Act::Release),
        1 => (0_usize..8).prop_map(Act::GiveUp),
        1 => (0_usize..8).prop_map(Act::Kill),
        1 => Just(Act::KillAll),
    ];
    prop::collection::vec(act, 1..25)
}

type Waiter = Pin<Box<dyn Future<Output = Result<Lease, DatabaseError>>>>;

/// The pool, and what the model says of it.
struct World<'a> {
    place: &'a Place,
    database: Database,
    leases: Vec<Lease>,
    waiters: VecDeque<Waiter>,
    /// How many idle connections there must be.
    idle: usize,
}

impl World<'_> {
    async fn act(&mut self, act: Act) {
        match act {
            Act::Acquire => self.acquire().await,
            Act::Release(which) if !self.leases.is_empty() => {
                let which = which % self.leases.len();
                drop(self.leases.swap_remove(which));
                self.served().await;
            }
            Act::GiveUp(which) if !self.waiters.is_empty() => {
                drop(self.waiters.remove(which % self.waiters.len()));
            }
            Act::Kill(which) if !self.leases.is_empty() => {
                let which = which % self.leases.len();
                break_off(&mut self.leases[which]).await;
            }
            Act::KillAll => self.kill_all().await,
            Act::Release(_) | Act::GiveUp(_) | Act::Kill(_) => {}
        }
        self.check().await;
    }

    /// One more asks: it has a connection that works, or waits when all are in use.
    async fn acquire(&mut self) {
        let database = self.database.clone();
        let mut asked: Waiter = Box::pin(async move { database.acquire().await });
        if self.leases.len() == MAX_OPEN {
            assert!(poll!(&mut asked).is_pending(), "more than {MAX_OPEN} at once");
            return self.waiters.push_back(asked);
        }
        self.idle = self.idle.saturating_sub(1);
        self.had(asked).await;
    }

    /// A connection came free: who has waited longest has it, nobody else.
    async fn served(&mut self) {
        let Some(first) = self.waiters.pop_front() else {
            self.idle = (self.idle + 1).min(MAX_KEPT);
            return;
        };
        for later in &mut self.waiters {
            assert!(poll!(later).is_pending(), "served before its turn");
        }
        self.had(first).await;
    }

    async fn had(&mut self, asked: Waiter) {
        let mut lease = timeout(LIMIT, asked).await.expect("in time").unwrap();
        match lease.connection() {
            Connection::Postgres(it) => it.execute("select 1").await.map(drop).unwrap(),
            Connection::Sqlite(it) => it.execute("select 1").await.map(drop).unwrap(),
        }
        self.leases.push(lease);
    }

    /// The server ends all connections, the idle ones included.
    async fn kill_all(&mut self) {
        if self.place.dialect == Dialect::Postgres {
            let mut other = PgConnection::connect(&self.place.url).await.unwrap();
            let kill = "select pg_terminate_backend(pid, 10000) from pg_stat_activity
                        where datname = current_database() and pid <> pg_backend_pid()";
            other.execute(kill).await.unwrap();
        }
    }

    async fn check(&self) {
        let figures = self.database.figures();
        let expected = (self.leases.len(), self.idle, self.waiters.len());
        assert_eq!((figures.in_use, figures.idle, figures.waiting), expected);
        assert!(figures.size <= MAX_OPEN, "{figures:?}");
    }
}

/// Has the server end this connection; a file has no server.
async fn break_off(lease: &mut Lease) {
    if let Some(connection) = lease.postgres() {
        // What it says is that the connection is gone.
        let _ = connection.execute("select pg_terminate_backend(pg_backend_pid())").await;
    }
}

async fn run(place: &Place, acts: &[Act]) {
    let (kept, overflow) = (MAX_KEPT as u32, (MAX_OPEN - MAX_KEPT) as u32);
    let database = pool(place, kept, overflow);
    let mut world =
        World { place, database, leases: Vec::new(), waiters: VecDeque::new(), idle: 0 };
    for act in acts {
        world.act(*act).await;
    }
    world.waiters.clear();
    while !world.leases.is_empty() {
        world.act(Act::Release(0)).await;
    }
    let rest = world.database.figures();
    assert!(rest.in_use == 0 && rest.size <= MAX_KEPT, "{rest:?}");
    world.database.close().await;
    assert_eq!(world.database.figures().size, 0);
}

#[test]
fn the_pool_does_as_its_model() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for place in runtime.block_on(place::plain()) {
        let config = Config { failure_persistence: None, ..Config::with_cases(CASES) };
        let tried = TestRunner::new(config).run(&acts(), |acts| {
            runtime.block_on(run(&place, &acts));
            Ok(())
        });
        tried.unwrap_or_else(|error| panic!("{:?}: {error}", place.dialect));
    }
}
