//! The rules of the house, held against every source and manifest of the workspace.

use std::fmt::Write;

use voicegraph_tests::{tidy, workspace};

#[test]
fn the_house_is_tidy() {
    let findings = tidy::check(&workspace::root());
    let list = findings.iter().fold(String::new(), |mut list, finding| {
        writeln!(list, "{finding}").expect("a string takes all");
        list
    });
    assert!(findings.is_empty(), "\n{list}{} findings", findings.len());
}
