//! Calls as TOML beside their timelines as text. `UPDATE_EXPECT=1` rewrites the timelines; the diff
//! is to be read like code.

use expect_test::expect_file;
use voicegraph_tests::scenario::{Scenario, folders};

/// How often each scenario is run. Every run must give the same bytes; `soak` does far more.
const REPEATS: usize = 10;

#[test]
fn each_scenario_goes_as_expected() {
    for folder in folders() {
        let timeline = Scenario::read(&folder).run();
        expect_file![folder.join("expected.timeline")].assert_eq(&timeline);
    }
}

#[test]
fn each_scenario_repeats_to_the_byte() {
    for folder in folders() {
        let scenario = Scenario::read(&folder);
        let first = scenario.run();
        for repeat in 1..REPEATS {
            assert!(scenario.run() == first, "{folder:?}: run {repeat} differs from the first");
        }
    }
}
