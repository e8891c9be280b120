//! The official `livekit` crate's own end-to-end tests, on our `libwebrtc` and a real
//! livekit-server.
//!
//! They are built where cargo has put the crate's package, unchanged. `tests/livekit-e2e` lists
//! those that are known to fail, each with its reason; the list must be true both ways.

mod expected;
mod suite;
mod workspace;

use std::collections::BTreeMap;

use expected::Expected;
use futures_util::{StreamExt as _, stream};
use suite::{Outcome, Suite};
use voicegraph_tests::again::{MOST, Tries};
use voicegraph_tests::livekit::{Server, Version};
use voicegraph_tests::workspace::say;

/// Fewer that pass, and the run is none: the tests were renamed, or a feature left out.
const FEWEST_PASSED: usize = 63;

/// How many files of tests run side by side, each in a process of its own and in rooms of its own
/// names. They share the server alone, and wait more than they compute.
const AT_ONCE: usize = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn livekits_own_tests_pass_but_for_those_listed() {
    let Some(server) = Server::start("livekit's own tests", Version::New) else { return };
    let expected = Expected::read();
    let suites = workspace::build().await;
    let running = stream::iter(&suites).map(async |suite| (suite, suite.run(&server).await));
    let mut runs: Vec<_> = running.buffer_unordered(AT_ONCE).collect().await;
    again_by_itself(&mut runs, &server, &expected).await;
    let named = runs.into_iter().flat_map(|(suite, run)| {
        run.into_iter().map(move |(test, outcome)| (suite.full_name(&test), outcome))
    });
    let outcomes: BTreeMap<String, Outcome> = named.collect();
    let passed = outcomes.values().filter(|it| **it == Outcome::Passed).count();
    say(&format!("{passed} of {} of livekit's own tests passed\n", outcomes.len()));
    let differences = expected.compare(&outcomes);
    assert!(differences.is_empty(), "{}\n{}", differences.join("\n"), server.said());
    assert!(passed >= FEWEST_PASSED, "only {passed} passed");
}

/// Runs once more, one after the other, what failed and should not have: several wait for fixed
/// times, which a busy machine exceeds. Where that were more than may go again, none does.
async fn again_by_itself(
    runs: &mut [(&Suite, BTreeMap<String, Outcome>)],
    server: &Server,
    expected: &Expected,
) {
    let mut failed: Vec<(&Suite, &String, &mut Outcome)> = Vec::new();
    for (suite, run) in runs {
        let should_pass = |test: &str| expected.reason(&suite.full_name(test)).is_none();
        let unexpected = run.iter_mut().filter(|it| *it.1 != Outcome::Passed && should_pass(it.0));
        failed.extend(unexpected.map(|(test, outcome)| (*suite, test, outcome)));
    }
    if failed.len() > MOST {
        return;
    }
    let tries = Tries::none();
    for (suite, test, outcome) in failed {
        let name = suite.full_name(test);
        tries.again(&name, &format!("it {outcome} beside others:\n{}", suite.said(test)));
        *outcome = suite.run_one(server, test).await;
        say(&format!("{name} {outcome} the second time\n"));
    }
}
