//! `voicegraph migrate` as a process: killed at any point, or twice at once.

use std::process::Stdio;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};
use voicegraph_database::verify;
use voicegraph_tests::workspace;

use crate::place::{self, Place};

/// How often the program is killed for each dialect.
const CASES: u32 = 40;

/// How long a run may take on a busy machine, the wait for a killed one's lock included.
const LIMIT: Duration = Duration::from_secs(60);

fn migrate(place: &Place, arguments: &[&str]) -> Child {
    let mut command = Command::new(workspace::voicegraph());
    command.arg("migrate").args(arguments).env_clear().env("DATABASE_URL", &place.url);
    if let Some(authority) = &place.authority {
        command.env("VOICEGRAPH_ROOT_CERTIFICATES", authority);
        // Instead of the system's hundred-odd, which a debug build is slow to read.
        command.env("SSL_CERT_FILE", authority);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.kill_on_drop(true).spawn().unwrap()
}

/// Runs to the end; gives what it said on both outputs.
async fn ended(child: Child) -> String {
    let output = timeout(LIMIT, child.wait_with_output()).await.expect("in time").unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    assert!(output.status.success(), "{said}");
    said
}

/// Kills a run after `delay`, which may be before its beginning or after its end.
async fn kill(place: &Place, arguments: &[&str], delay: Duration) {
    let mut child = migrate(place, arguments);
    sleep(delay).await;
    // It may have ended by itself.
    let _ = child.start_kill();
    timeout(LIMIT, child.wait()).await.expect("a killed process ends").unwrap();
}

#[test]
fn a_killed_migration_is_finished_by_the_next() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for place in runtime.block_on(place::both()) {
        runtime.block_on(async { ended(migrate(&place, &["up"])).await });
        let began = Instant::now();
        runtime.block_on(async { ended(migrate(&place, &["down", "--to", "0"])).await });
        // Points all over a run, and some behind its end.
        let whole_us = u64::try_from(began.elapsed().as_micros()).unwrap() * 5 / 4;
        let config = Config { failure_persistence: None, ..Config::with_cases(CASES) };
        let killed = TestRunner::new(config).run(&(0..whole_us, any::<bool>()), |(at_us, up)| {
            let way: &[&str] = if up { &["up"] } else { &["down", "--to", "0"] };
            runtime.block_on(async {
                kill(&place, way, Duration::from_micros(at_us)).await;
                ended(migrate(&place, &["up"])).await;
                let found = verify::verify(&place.settings()).await.unwrap();
                prop_assert_eq!(found, vec![]);
                Ok(())
            })?;
            if up {
                runtime.block_on(async { ended(migrate(&place, &["down", "--to", "0"])).await });
            }
            Ok(())
        });
        killed.unwrap_or_else(|error| panic!("{:?}: {error}", place.dialect));
    }
}

#[tokio::test]
async fn of_two_deploys_at_once_one_waits() {
    for place in place::both().await {
        let both = [migrate(&place, &["up"]), migrate(&place, &["up"])];
        let said = futures_util::future::join_all(both.map(ended)).await;
        let made = said.iter().filter(|said| said.contains("0005 call_records: made")).count();
        let idle = said.iter().filter(|said| said.contains("nothing to make")).count();
        assert_eq!((made, idle), (1, 1), "{said:?}");
    }
}

#[tokio::test]
async fn a_dry_run_prints_the_sql_and_changes_nothing() {
    for place in place::both().await {
        let said = ended(migrate(&place, &["up", "--dry-run"])).await;
        for part in ["-- 0001_people.up.sql", "create table appointments", "0005_call_records"] {
            assert!(said.contains(part), "no {part:?} in {said}");
        }
        assert!(verify::read(&place.settings()).await.unwrap().is_empty());
        ended(migrate(&place, &["up"])).await;
        assert!(ended(migrate(&place, &["verify"])).await.contains("as the migrations make it"));
    }
}
