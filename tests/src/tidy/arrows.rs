//! The arrows between members: `cli → worker, nodes, database, simulators → engine`, and `nodes →
//! database`. A provider's wire is written twice, in `nodes` and in `simulators`, each from
//! its reference, so neither may know the other. `libwebrtc` is reached through `livekit`, by all
//! but the fuzz targets.

use super::Finding;
use super::manifest::{Dependency, Manifest};

/// Each member and the members it may use, in tests too.
const ARROWS: &[(&str, &[&str])] = &[
    ("engine", &[]),
    ("database", &["engine"]),
    ("nodes", &["engine", "database"]),
    ("simulators", &["engine"]),
    ("libwebrtc", &[]),
    ("worker", &["engine"]),
    ("cli", &["engine", "database", "nodes", "simulators", "worker"]),
    ("benches", &["engine", "database", "nodes", "simulators", "tests", "worker"]),
    ("tests", &["engine", "database", "libwebrtc", "nodes", "simulators", "worker"]),
];

/// Each dependency of the member on another that it may not use.
pub(super) fn check(manifest: &Manifest) -> Vec<Finding> {
    let Some((member, allowed)) = ARROWS.iter().find(|(member, _)| *member == manifest.member)
    else {
        let advice = "this member has no row in tests/src/tidy/arrows.rs: say whom it may use";
        return vec![manifest.finding(1, "arrows", advice.to_owned())];
    };
    let turned = |dependency: &Dependency| {
        let used = match dependency.name.as_str() {
            "libwebrtc" => "libwebrtc",
            name => name.strip_prefix("voicegraph-")?,
        };
        let advice = format!("`{member}` must not use `{used}`, it may use {allowed:?}");
        let finding = || manifest.finding(dependency.line, "arrows", advice);
        (!allowed.contains(&used)).then(finding)
    };
    manifest.dependencies.iter().filter_map(turned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(member: &str, text: &str) -> usize {
        check(&Manifest::parse(member, "Cargo.toml", text)).len()
    }

    #[test]
    fn an_arrow_turned_round_is_found() {
        assert_eq!(found("engine", "[dependencies]\nvoicegraph-nodes.workspace = true"), 1);
        assert_eq!(found("nodes", "[dev-dependencies]\nvoicegraph-simulators.workspace = true"), 1);
        assert_eq!(found("simulators", "[dependencies]\nvoicegraph-nodes.workspace = true"), 1);
        assert_eq!(found("engine", "[dependencies]\nvoicegraph-database.workspace = true"), 1);
        assert_eq!(found("engine", "[build-dependencies]\nvoicegraph-tests.workspace = true"), 1);
        assert_eq!(found("worker", "[dev-dependencies]\nlibwebrtc.workspace = true"), 1);
    }

    #[test]
    fn a_member_without_a_row_is_found() {
        assert_eq!(found("novel", ""), 1);
    }

    #[test]
    fn the_arrows_of_the_design_pass() {
        assert_eq!(found("nodes", "[dependencies]\nvoicegraph-engine.workspace = true"), 0);
        assert_eq!(found("tests", "[dependencies]\nvoicegraph-simulators.workspace = true"), 0);
    }
}
