//! Calls as TOML beside their timelines as text. `UPDATE_EXPECT=1` rewrites the timelines; the diff
//! is to be read like code.

use std::path::PathBuf;

use expect_test::expect_file;
use voicegraph_tests::scenario::{Scenario, clinic};

/// How often each scenario is run. Every run must give the same bytes. A debug build, ten times
/// slower, does fewer; the release run does all.
const REPEATS: usize = if cfg!(debug_assertions) { 10 } else { 200 };

fn folders() -> Vec<PathBuf> {
    let folder = clinic().join("scenarios");
    let mut folders: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the clinic has scenarios")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    assert!(folders.len() >= 10, "scenarios are missing from {folder:?}");
    folders
}

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
