//! Every decoder of bytes from outside, over its corpus and over changes of it: see
//! `voicegraph_tests::fuzzing`. `SEEDS=100` tries more, `SEED=7` one again.

#![expect(clippy::unwrap_used, reason = "a test ends where anything fails")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use voicegraph_tests::fuzzing::{self, Campaign};
use voicegraph_tests::{targets, workspace};

/// Makes each target a test of its name, with so many inputs for each seed: what takes a processor
/// one or two seconds. Those that join connections step through minutes of virtual time.
macro_rules! campaigns {
    ($($name:ident: $runs:literal),+ $(,)?) => {
        const NAMES: &[&str] = &[$(stringify!($name)),+];

        $(#[test]
        fn $name() {
            Campaign { name: stringify!($name), target: targets::$name, runs: $runs }.run();
        })+
    };
}

campaigns! {
    arguments: 200_000,
    candidate: 800,
    cartesia: 200_000,
    channels: 300,
    config: 2_000,
    cryptor: 50_000,
    datagrams: 300,
    deepgram: 200_000,
    description: 600,
    dispatch: 200_000,
    endpoint: 200_000,
    jitter: 1_000,
    jobs: 100_000,
    openai: 100_000,
    opus: 1_500,
    recording: 5_000,
    requests: 150_000,
    script: 50_000,
    sql: 15_000,
    wav: 5_000,
    websocket: 100_000,
}

/// The names of what lies in a folder of the workspace, without their endings.
fn names_in(folder: &Path) -> BTreeSet<String> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect()
}

/// A target stands in five places: its function, its corpus, this list, and libFuzzer's manifest
/// and shell.
#[test]
fn no_target_is_forgotten() {
    let listed: BTreeSet<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
    let tests = workspace::root().join("tests");
    let mut functions = names_in(&tests.join("src/targets"));
    assert!(functions.remove("mod"));
    assert_eq!(functions, listed, "tests/src/targets");
    assert_eq!(names_in(&fuzzing::folder()), listed, "tests/fuzz/corpus");
    assert_eq!(names_in(&tests.join("fuzz/targets")), listed, "tests/fuzz/targets");
    let manifest = fs::read_to_string(tests.join("fuzz/Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let mut programs = BTreeSet::new();
    for program in manifest["bin"].as_array().unwrap() {
        let [name, path] = ["name", "path"].map(|key| program[key].as_str().unwrap());
        let shell = fs::read_to_string(tests.join("fuzz").join(path)).unwrap();
        let call = format!("voicegraph_fuzz::targets::{name}(bytes)");
        assert!(shell.contains(&call), "{path} does not call it");
        programs.insert(name.to_owned());
    }
    assert_eq!(programs, listed, "tests/fuzz/Cargo.toml");
}
