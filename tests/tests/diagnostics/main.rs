//! Every diagnostic, word for word.
//!
//! Each folder in `tests/diagnostics` is named by a code and a few words. It holds a
//! `pipeline.toml` with one mistake, an overlay `staging.toml` where it takes one, and the exact
//! report in `expected.txt`, which `UPDATE_EXPECT=1` rewrites. A folder may also hold
//! `environment`, the name of the environment to compile for, and `repeat`, a number and a line to
//! append so many times with `{n}` counted up, for what would be too long to keep.

mod kinds;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use voicegraph_engine::config::{Sources, compile};
use voicegraph_engine::diagnostic::{Diagnostics, codes};

#[test]
fn each_mistake_is_told_word_for_word() {
    for folder in folders() {
        let report = report(&folder).to_text(false);
        expect_test::expect_file![fs::canonicalize(&folder).unwrap().join("expected.txt")]
            .assert_eq(&report);
    }
}

#[test]
fn each_folder_shows_its_own_code_and_no_other() {
    for folder in folders() {
        let found = report(&folder);
        let found: BTreeSet<&str> = found.iter().map(|one| one.code.id).collect();
        assert_eq!(found, BTreeSet::from([code_of(&folder).as_str()]), "{}", folder.display());
    }
}

#[test]
fn each_code_has_a_folder() {
    let shown: BTreeSet<String> = folders().iter().map(|folder| code_of(folder)).collect();
    let known: BTreeSet<String> = codes::ALL.iter().map(|code| code.id.to_owned()).collect();
    assert_eq!(shown, known);
}

#[test]
fn each_mistake_says_what_to_write_instead() {
    for folder in folders() {
        for one in report(&folder).iter() {
            assert!(one.help.is_some(), "{}: {}", folder.display(), one.message);
        }
    }
}

#[test]
fn json_and_text_agree_on_places() {
    for folder in folders() {
        let report = report(&folder);
        let (text, json) = (report.to_text(false), report.to_json());
        for one in json["diagnostics"].as_array().unwrap() {
            let Some(file) = one["file"].as_str() else { continue };
            let place = format!("[{file}:{}:{}]", one["line"], one["column"]);
            assert!(text.contains(&place), "{}: {place} is not in\n{text}", folder.display());
            assert_end_follows(one);
        }
    }
}

fn assert_end_follows(one: &Value) {
    let place = |value: &Value| (value["line"].as_u64(), value["column"].as_u64());
    assert!(place(&one["end"]) >= place(one), "{one}");
}

#[test]
fn secrets_are_in_no_report() {
    for folder in folders() {
        let report = report(&folder);
        for shown in [report.to_text(false), report.to_json().to_string()] {
            assert!(!shown.contains(kinds::SECRET), "{}:\n{shown}", folder.display());
        }
    }
}

/// What `check` finds in the pipeline of a folder, warnings too.
fn report(folder: &Path) -> Diagnostics {
    match compile(&sources(folder), &kinds::variable, &kinds::registry()) {
        Ok(compiled) => compiled.warnings,
        Err(found) => found,
    }
}

fn sources(folder: &Path) -> Sources {
    let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
    if let Some(repeat) = read("repeat") {
        let (times, line) = repeat.trim().split_once(' ').expect("a number and a line");
        let mut text = read("pipeline.toml").expect("text to append to");
        for n in 0..times.parse().expect("a number") {
            text.push_str(&line.replace("{n}", &i32::to_string(&n)));
            text.push('\n');
        }
        return Sources::from_text(&text, None);
    }
    let overlaid = folder.join("staging.toml").exists().then_some("staging".to_owned());
    let environment = read("environment").map(|name| name.trim().to_owned()).or(overlaid);
    Sources::read(folder, environment.as_deref())
}

/// The folders, by paths that are the same on every machine.
fn folders() -> Vec<PathBuf> {
    let entries = fs::read_dir("diagnostics").expect("the folder is there");
    let mut folders: Vec<PathBuf> =
        entries.map(|entry| entry.expect("it can be read").path()).collect();
    folders.sort();
    folders
}

fn code_of(folder: &Path) -> String {
    let name = folder.file_name().and_then(OsStr::to_str).expect("a name in UTF-8");
    name.split_once('-').expect("a code and a few words").0.to_owned()
}
