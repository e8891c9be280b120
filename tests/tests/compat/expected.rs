//! The list of tests that are known to fail.

use std::collections::BTreeMap;
use std::fs;

use serde::Deserialize;
use voicegraph_tests::workspace;

use crate::suite::Outcome;

/// Where the list is, from the workspace's root.
const LIST: &str = "tests/livekit-e2e/expected-failures.toml";

/// Tests by name, `FILE::TEST`, with why they fail.
pub(crate) struct Expected {
    reasons: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    failures: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    reason: String,
    tests: Vec<String>,
}

impl Expected {
    /// Reads the list.
    ///
    /// # Panics
    /// Where it is not of its form, or names a test twice.
    pub(crate) fn read() -> Self {
        let text = fs::read_to_string(workspace::root().join(LIST)).expect("the list is there");
        let list: List = toml::from_str(&text).unwrap_or_else(|error| panic!("{LIST}: {error}"));
        let mut reasons = BTreeMap::new();
        for group in list.failures {
            for test in group.tests {
                let other = reasons.insert(test.clone(), group.reason.clone());
                assert!(other.is_none(), "{LIST}: {test} stands there twice");
            }
        }
        Self { reasons }
    }

    /// Why a test is known to fail.
    pub(crate) fn reason(&self, test: &str) -> Option<&str> {
        self.reasons.get(test).map(String::as_str)
    }

    /// What differs from the list, each with what to do.
    pub(crate) fn compare(&self, outcomes: &BTreeMap<String, Outcome>) -> Vec<String> {
        let ran = outcomes.iter().filter_map(|(test, outcome)| self.differs(test, *outcome));
        let gone = self.reasons.keys().filter(|test| !outcomes.contains_key(*test));
        ran.chain(gone.map(|test| format!("{test}: there is no such test; strike it off {LIST}")))
            .collect()
    }

    fn differs(&self, test: &str, outcome: Outcome) -> Option<String> {
        match (outcome, self.reason(test)) {
            (Outcome::Passed, None) | (Outcome::Failed | Outcome::Unfinished, Some(_)) => None,
            (Outcome::Passed, Some(reason)) => {
                Some(format!("{test} passed; strike it off {LIST} (`{reason}`)"))
            }
            (_, None) => Some(format!("{test} {outcome}; mend it, or list it in {LIST}")),
        }
    }
}

#[test]
fn the_list_must_be_true_both_ways() {
    let reasons = [("a::fails", "video"), ("a::passes", "video"), ("a::gone", "video")];
    let reasons = reasons.map(|(test, reason)| (test.to_owned(), reason.to_owned())).into();
    let outcomes = [
        ("a::fails", Outcome::Failed),
        ("a::passes", Outcome::Passed),
        ("b::fine", Outcome::Passed),
        ("b::hangs", Outcome::Unfinished),
    ];
    let outcomes = outcomes.map(|(test, outcome)| (test.to_owned(), outcome)).into();
    let differences = Expected { reasons }.compare(&outcomes);
    let starts = ["a::passes passed", "b::hangs did not end", "a::gone: there is no such test"];
    assert_eq!(differences.len(), starts.len(), "{differences:?}");
    for (difference, start) in differences.iter().zip(starts) {
        assert!(difference.starts_with(start), "{difference}");
    }
}
